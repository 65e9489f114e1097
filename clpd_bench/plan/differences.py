"""What two arms differ in: every setting, and whether an arm declares it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.grid import Cell
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.curriculum import NoTeacher, written
from clpd_bench.settings.loss import CrossEntropy
from clpd_bench.settings.plugin import as_written


@dataclass(frozen=True)
class Difference:
    """A setting in which two arms differ; `None` where one of them has no such setting.

    `tuned` says that it is one that was tuned for an arm of the two.
    """

    key: str
    first: Any
    second: Any
    tuned: bool = False


def cell_settings(cell: Cell) -> dict[str, Any]:
    """{dotted key: value} of all that decides how this cell's student is trained, the seed apart."""
    loss = CrossEntropy(name="cross_entropy") if isinstance(cell.arm.teachers, NoTeacher) else cell.loss
    return flat(
        {
            "order": written(cell.arm.order),
            "teachers": written(cell.arm.teachers),
            "student": cell.student.model_dump(mode="json"),
            "loss": as_written(loss.model_dump(mode="json")),
            "curriculum": as_written(cell.curriculum.model_dump(mode="json")),
        }
    )


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
    a, b = cell_settings(first), cell_settings(second)
    tuned = {*first.arm.tuned, *second.arm.tuned}
    found = [
        Difference(key, a.get(key), b.get(key), _is_under(key, tuned)) for key in {**a, **b} if a.get(key) != b.get(key)
    ]
    declared = {"order", "teachers", *first.arm.differs, *second.arm.differs, *tuned}
    if any(isinstance(cell.arm.teachers, NoTeacher) for cell in (first, second)):
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


def _is_under(key: str, keys: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{other}.") for other in keys)


def compared_pairs(ablation: Ablation, grid: list[Cell]) -> list[tuple[Cell, Cell]]:
    """(baseline, arm) of every comparison, at the first seed."""
    seed = ablation.seeds[0]
    first = {cell.arm_name: cell for cell in grid if cell.seed == seed}
    baseline = first[ablation.analysis.baseline]
    return [(baseline, cell) for name, cell in first.items() if name != ablation.analysis.baseline]
