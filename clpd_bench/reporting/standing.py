"""Confirmatory or exploratory: whether a comparison was chosen before there was anything to choose it by.

What is read: when each evaluation was declared to be part of this comparison, when it was made, and what
reports had shown before. What was seen elsewhere, no store can know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from clpd_bench.analysis.compare import Comparison
from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.analysis.metrics import MACRO_AVERAGE
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


class Standing(NamedTuple):
    """Attributes:
    why: a sentence.
    notes: what a reader should know though it changes nothing.
    """

    word: Literal["confirmatory", "exploratory"]
    why: str
    notes: tuple[str, ...] = ()


class Used(NamedTuple):
    """An evaluation that a comparison uses, and the student that it is of."""

    arm: str
    seed: int
    key: str
    model: str


@dataclass(frozen=True)
class Standings:
    """Of every comparison, by its arm (or `interaction`) and benchmark."""

    by_comparison: Mapping[tuple[str, str], Standing]

    def of(self, test: Comparison) -> Standing:
        return self.by_comparison[test.arm, test.benchmark]


def standings(plan: Plan, store: Store, declaration: Declaration, factorial: Factorial | None) -> Standings:
    """Of all arms beside the baseline, and of the interaction, on each benchmark and their average.

    Raises:
        UserError: a record of the store is damaged.
    """
    created = {
        key: str(manifest["created"])
        for cell in plan.cells
        for key in cell.evaluations.values()
        if (manifest := store.manifest(key)) is not None
    }
    declared = _declared(plan, store.declarations())
    reports = [(str(record["time"]), dict(record["shown"])) for record in store.reports()]
    benchmarks = list(dict.fromkeys(name for cell in plan.cells for name in cell.evaluations))
    arms = list(dict.fromkeys(cell.name for cell in plan.cells))
    compared = {arm: [arm, declaration.baseline] for arm in arms if arm != declaration.baseline}
    if factorial is not None:
        compared[INTERACTION] = list(vars(factorial).values())
    out: dict[tuple[str, str], Standing] = {}
    for name, its_arms in compared.items():
        for benchmark in [*benchmarks, MACRO_AVERAGE]:
            if name not in declaration.family:
                out[name, benchmark] = Standing("exploratory", "Not in the declared family.")
                continue
            used = [
                Used(cell.name, cell.seed, key, cell.model)
                for cell in plan.cells
                if cell.name in its_arms
                for its_benchmark, key in cell.evaluations.items()
                if benchmark in (its_benchmark, MACRO_AVERAGE) and key in created
            ]
            planned = len({cell.seed for cell in plan.cells if cell.name in its_arms})
            out[name, benchmark] = _standing(used, its_arms, planned, created, declared, reports)
    return Standings(out)


def _declared(plan: Plan, records: list[dict[str, Any]]) -> dict[str, str]:
    """{key of an evaluation: when it was first declared to be part of this comparison}.

    A declaration that agrees in all but seeds and evaluations is this one before something was added to
    it, if it has nothing that this one lacks: one with more seeds is another, of which some were taken out.
    """
    grows = {"seeds", "evaluations"}
    mine = {name: value for name, value in plan.declaration.items() if name not in grows}
    out: dict[str, str] = {}
    for record in records:
        other = record.get("declaration", {})
        if {name: value for name, value in other.items() if name not in grows} != mine:
            continue
        if all(set(other.get(name, ())) <= set(plan.declaration.get(name, ())) for name in grows):
            for key in other["evaluations"]:
                out.setdefault(key, str(record["time"]))
    return out


def _standing(
    used: list[Used],
    arms: list[str],
    planned: int,
    created: Mapping[str, str],
    declared: Mapping[str, str],
    reports: list[tuple[str, dict[str, str]]],
) -> Standing:
    """Of one comparison; `planned` is its number of seeds, `reports` come with the oldest first."""
    if not used:
        return Standing("exploratory", "Nothing of it has been evaluated.")
    if any(one.key not in declared for one in used):
        return Standing("exploratory", "Nothing in the store shows that this was declared beforehand.")
    for one in used:
        if _at(declared[one.key]) >= _at(created[one.key]):
            return Standing(
                "exploratory",
                f"Declared at {date(declared[one.key])}, which is not before the evaluation of {one.arm} at "
                f"seed {one.seed}, made at {date(created[one.key])}.",
            )
    looks = [(time, seen) for time, shown in reports if (seen := _seen(used, arms, shown))]
    for time, seen in looks:
        late = [one for one in used if _at(declared[one.key]) >= _at(time)]
        if late:
            return Standing("exploratory", _added(late, seen, time))
    # A look at what is there now is this very report, made before: it would differ from its first edition.
    present = {(one.arm, one.seed) for one in used}
    peeks = [(time, _complete(seen, arms)) for time, seen in looks if seen != present]
    notes = [
        f"A report was made when {done} of {planned} declared seeds were done ({date(time)})."
        for time, done in peeks
        if done < planned
    ]
    first, made = min(declared[one.key] for one in used), min(created[one.key] for one in used)
    why = f"Declared at {date(first)}, before the first evaluation used ({date(made)})."
    return Standing("confirmatory", why, tuple(notes))


def _seen(used: list[Used], arms: list[str], shown: Mapping[str, str]) -> set[tuple[str, int]]:
    """(arm, seed) of the students that a report has shown, if it has shown one of every arm. On whatever
    benchmark, and however evaluated: it is the students that one has an idea of afterwards."""
    models = set(shown.values())
    seen = {(one.arm, one.seed) for one in used if one.model in models}
    return seen if {arm for arm, _ in seen} == set(arms) else set()


def _complete(seen: set[tuple[str, int]], arms: list[str]) -> int:
    """The number of seeds at which every arm was seen."""
    return len(set.intersection(*({seed for name, seed in seen if name == arm} for arm in arms)))


def _added(late: list[Used], cells: set[tuple[str, int]], time: str) -> str:
    seen = {seed for _, seed in cells}
    added = {one.seed for one in late} - seen
    if added:
        word, verb = ("seed", "was") if len(added) == 1 else ("seeds", "were")
        return f"{word.capitalize()} {ranges(added)} {verb} added after a report of {date(time)} had shown {_of(seen)}."
    return f"Declared only after a report of {date(time)} had shown these students ({_of(seen)})."


def _of(seeds: set[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {ranges(seeds)}"


def ranges(seeds: set[int]) -> str:
    """`0-3, 8, 9`."""
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(texts)


def _at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)


def date(iso: str) -> str:
    """`2026-11-24 09:47:41 UTC`."""
    return iso.replace("T", " ").replace("+00:00", " UTC")
