"""What two arms differ in: every setting, and whether an arm declares it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from clpd_bench.errors import UserError
from clpd_bench.grid.cells import Cell
from clpd_bench.outside.weights import start_of
from clpd_bench.plan.keys import canonical
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.parts.loss import CrossEntropy
from clpd_bench.settings.parts.pretrained import Gguf, Local
from clpd_bench.settings.parts.teacher_rules import TeacherRule
from clpd_bench.settings.plugin import Plugin, as_written


@dataclass(frozen=True)
class Difference:
    """A setting in which two arms differ; `None` where one of them has no such setting.

    `tuned` says that it is one that was tuned for an arm of the two.
    """

    key: str
    first: Any
    second: Any
    tuned: bool = False


class Setting(NamedTuple):
    """Attributes:
    as_in_file: as the file would say it; of a plug-in with its whole path, since names alone may be alike.
    identity: what it is. A plug-in or weights on this machine are their bytes, wherever they lie.
    """

    as_in_file: Any
    identity: Any


ABSENT = Setting(None, None)


def cell_settings(cell: Cell) -> dict[str, Setting]:
    """{dotted key: setting} of all that decides how this cell's student is trained, the seed apart."""
    texts, identities = (flat(_settings(cell, by)) for by in ("file", "sha256"))
    return {key: Setting(text, identities[key]) for key, text in texts.items()}


def _settings(cell: Cell, by: Literal["file", "sha256"]) -> dict[str, Any]:
    loss = cell.loss if cell.arm.teachers.has_teacher else CrossEntropy(name="cross_entropy")
    student, initial = cell.student.model_dump(mode="json"), cell.student.initial
    if by == "sha256" and isinstance(initial, Local | Gguf):
        bytes_ = canonical(start_of(initial).sha256)
        student["initial"] |= {key: bytes_ for key in ("folder", "file", "parts") if key in student["initial"]}
    return {
        "order": shorthand_of(cell.arm.order),
        "teachers": _rule(cell.arm.teachers, by),
        "student": student,
        "loss": as_written(loss.model_dump(mode="json"), by=by),
        "curriculum": as_written(cell.curriculum.model_dump(mode="json"), by=by),
    }


def _rule(rule: TeacherRule, by: Literal["file", "sha256"]) -> str:
    if not isinstance(rule, Plugin):
        return shorthand_of(rule)
    return shorthand_of(rule).replace(rule.file.name, str(rule.file) if by == "file" else rule.sha256, 1)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """{dotted key: value} of nested settings."""
    if isinstance(value, dict):
        return {
            k: v for name, inner in value.items() for k, v in flat(inner, f"{path}.{name}" if path else name).items()
        }
    return {path: value}


def differences(first: Cell, second: Cell) -> list[Difference]:
    """Every setting in which two cells of one seed differ.

    Raises:
        UserError: one that is neither order, nor teachers, nor declared by an arm's `differs:`, nor tuned.
    """
    found, tuned = differing(first, second), {*first.arm.tuned, *second.arm.tuned}
    declared = {"order", "teachers", *first.arm.differs, *second.arm.differs, *tuned}
    if not all(cell.arm.teachers.has_teacher for cell in (first, second)):
        declared.add("loss")  # without a teacher there is nothing but cross-entropy
    for difference in found:
        if not _is_under(difference.key, declared):
            raise UserError(
                f"arms {first.arm_name!r} and {second.arm_name!r} differ in {difference.key} "
                f"({difference.first!r} and {difference.second!r}), which neither declares",
                key=f"arms.{second.arm_name}.differs",
                fix="Declare it under the arm's `differs:`, or make it equal",
            )
    return found


def differing(first: Cell, second: Cell) -> list[Difference]:
    """Every setting in which two cells of one seed differ, whoever declares it."""
    a, b = cell_settings(first), cell_settings(second)
    tuned = {*first.arm.tuned, *second.arm.tuned}
    return [
        Difference(key, one.as_in_file, other.as_in_file, _is_under(key, tuned))
        for key in {**a, **b}
        if (one := a.get(key, ABSENT)).identity != (other := b.get(key, ABSENT)).identity
    ]


def _is_under(key: str, keys: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{other}.") for other in keys)


def compared_pairs(ablation: Ablation, grid: list[Cell]) -> list[tuple[Cell, Cell]]:
    """(baseline, arm) of every comparison, at the first seed."""
    seed = ablation.seeds[0]
    first = {cell.arm_name: cell for cell in grid if cell.seed == seed}
    baseline = first[ablation.analysis.baseline]
    return [(baseline, cell) for name, cell in first.items() if name != ablation.analysis.baseline]
