"""What compared arms differ in and what they share, and which of their pairs are complete."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.grid.cells import Cell, cells
from clpd_bench.plan.differences import ABSENT, Difference, cell_settings, compared_pairs, differences, differing
from clpd_bench.plan.plan import Plan
from clpd_bench.results.provenance import spec_of
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store


@dataclass(frozen=True)
class Contrast:
    """An arm beside the baseline.

    Attributes:
        differences: every setting in which they differ.
        shared: labels of the jobs that the students of both need (at the first seed).
    """

    arm: str
    baseline: str
    differences: list[Difference]
    shared: list[str]


@dataclass(frozen=True)
class Contrasts:
    """All pairs, and the settings {dotted key: value} that are the same in each of them."""

    pairs: list[Contrast]
    common: dict[str, Any]


def contrasts(ablation: Ablation, plan: Plan, store: Store) -> Contrasts:
    """Of every comparison, at the first seed; a student that is there with the settings that it was trained with.

    Raises:
        UserError: two arms differ in something that neither declares.
    """
    pairs = compared_pairs(ablation, cells(ablation, plan.name))
    students = {(cell.name, cell.seed): cell.model for cell in plan.cells}

    def needs(name: str, seed: int) -> set[str]:
        model = students.get((name, seed))
        return plan.ancestors(model) - {model} if model else set()

    out, every = [], []
    for pair in pairs:
        differences(*pair)
        baseline, arm = (_as_run(cell, store.manifest(students[cell.arm_name, cell.seed])) for cell in pair)
        every += [cell_settings(baseline), cell_settings(arm)]
        both = needs(baseline.arm_name, baseline.seed) & needs(arm.arm_name, arm.seed)
        labels = [job.label for key, job in plan.jobs.items() if key in both]
        out.append(Contrast(arm.arm_name, baseline.arm_name, differing(baseline, arm), labels))
    first, *others = every or [{}]
    common = {
        key: one.as_in_file
        for key, one in first.items()
        if one.as_in_file is not None and all(other.get(key, ABSENT).identity == one.identity for other in others)
    }
    return Contrasts(out, common)


def _as_run(cell: Cell, manifest: Mapping[str, Any] | None) -> Cell:
    """Its key says that all else is as the file has it."""
    spec = spec_of(manifest) if manifest else None
    if not isinstance(spec, ModelSpec) or spec.training is None:
        return cell
    return replace(cell, student=cell.student.model_copy(update={"training": spec.training}))


def value_text(value: Any) -> str:
    """A setting's value as the file would say it, `-` for none."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)


def incomplete_pairs(
    plan: Plan,
    store: Store,
    declaration: Declaration,
    factorial: Factorial | None,
    dropped: Collection[tuple[str, int]],
) -> list[str]:
    """A sentence for each comparison and benchmark that not every seed of the file takes part in.

    Args:
        dropped: (arm, seed) of students that diverged and are left out.
    """
    lacking: dict[tuple[str, str, int], str] = {}
    seeds: dict[str, set[int]] = {}
    for cell in plan.cells:
        seeds.setdefault(cell.name, set()).add(cell.seed)
        for benchmark, key in cell.evaluations.items():
            if (cell.name, cell.seed) in dropped:
                lacking[cell.name, benchmark, cell.seed] = "diverged"
            elif not store.is_done(key):
                lacking[cell.name, benchmark, cell.seed] = store.state(key)
    compared = {arm: [arm, declaration.baseline] for arm in seeds if arm != declaration.baseline}
    if factorial is not None:
        compared[INTERACTION] = list(vars(factorial).values())
    sentences = []
    for name, arms in compared.items():
        planned = set.union(*(seeds.get(arm, set()) for arm in arms))
        for benchmark in dict.fromkeys(benchmark for _, benchmark, _ in lacking):
            without = [
                (arm, seed, lacking[arm, benchmark, seed])
                for arm in arms
                for seed in sorted(planned)
                if (arm, benchmark, seed) in lacking
            ]
            if without:
                complete = len(planned) - len({seed for _, seed, _ in without})
                listed = ", ".join(f"{arm} at seed {seed} ({why})" for arm, seed, why in without)
                pairs = "seeds are complete" if name == INTERACTION else "pairs are complete"
                title = name if name == INTERACTION else f"{name} against {declaration.baseline}"
                sentences.append(f"{title} on {benchmark}: {complete} of {len(planned)} {pairs}; without {listed}.")
    return sentences
