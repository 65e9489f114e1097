"""Confirmatory or exploratory: whether a comparison was declared before a look had shown outcomes of its question.

What is read is the store's register: the numbers of declarations and looks, and no clock. What was seen elsewhere, no
store can know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.declaration import INTERACTION, Declaration, Factorial
from clpd_bench.analysis.series import MACRO_AVERAGE
from clpd_bench.plan.plan import Plan
from clpd_bench.results.looks import History, Look, Shown, history, looks
from clpd_bench.store import Record, Store


class Standing(NamedTuple):
    """Attributes:
    why: a sentence.
    notes: what a reader should know though it changes nothing.
    beside: what stands beside the word, and so beside p: how many looks there had been (exploratory), or that this is
        one of several declared settings of the question (confirmatory); "" where there is nothing of that.
    """

    word: Literal["confirmatory", "exploratory"]
    why: str
    notes: tuple[str, ...] = ()
    beside: str = ""

    def __str__(self) -> str:
        """`exploratory (4 earlier looks)`."""
        return f"{self.word} ({self.beside})" if self.beside else self.word


class Used(NamedTuple):
    """An evaluation that a comparison uses.

    Attributes:
        arm: its name.
        compared: whether it is more than the baseline.
    """

    arm: str
    compared: bool
    outcome: Shown

    @property
    def key(self) -> str:
        return self.outcome.evaluation

    @property
    def seed(self) -> int:
        return self.outcome.seed


@dataclass(frozen=True)
class Standings:
    """Of every comparison, by its arm (or `interaction`) and benchmark."""

    by_comparison: Mapping[tuple[str, str], Standing]

    def of(self, test: Comparison) -> Standing:
        return self.by_comparison[test.arm, test.benchmark]


def standings(
    plan: Plan, outcomes: Mapping[str, Shown], store: Store, declaration: Declaration, factorial: Factorial | None
) -> Standings:
    """Of all arms beside the baseline, and of the interaction, on each benchmark and their average.

    Args:
        outcomes: of the plan's cells.

    Raises:
        UserError: a record of the store is damaged.
    """
    records = store.register()
    declared, every = _declared(plan, records), looks(records, store)
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
                Used(cell.name, name == INTERACTION or cell.name != declaration.baseline, outcomes[key])
                for cell in plan.cells
                if cell.name in its_arms
                for its_benchmark, key in cell.evaluations.items()
                if benchmark in (its_benchmark, MACRO_AVERAGE) and key in outcomes
            ]
            planned = len({cell.seed for cell in plan.cells if cell.name in its_arms})
            out[name, benchmark] = _standing(used, planned, declared, every, records)
    return Standings(out)


def _declared(plan: Plan, records: Iterable[Record]) -> dict[str, Record]:
    """{key of an evaluation: the record that first declared it to be part of this comparison}.

    A declaration that agrees in all but seeds and evaluations is this one before something was added to
    it, if it has nothing that this one lacks: one with more seeds is another, of which some were taken out.
    """
    grows = {"seeds", "evaluations"}
    mine = {name: value for name, value in plan.declaration.items() if name not in grows}
    out: dict[str, Record] = {}
    for record in records:
        other = record.content
        if record.kind != "declaration" or {k: v for k, v in other.items() if k not in grows} != mine:
            continue
        if all(set(other.get(name, ())) <= set(plan.declaration.get(name, ())) for name in grows):
            for key in other["evaluations"]:
                out.setdefault(key, record)
    return out


def _standing(
    used: list[Used], planned: int, declared: Mapping[str, Record], every: Sequence[Look], records: Sequence[Record]
) -> Standing:
    """Of one comparison; `planned` is its number of seeds."""
    if not used:
        return Standing("exploratory", "Nothing of it has been evaluated.")
    past = history([one.outcome for one in used], every)
    if any(one.key not in declared for one in used):
        own = {one.key for one in used}
        others = [look for look in past.looks if not own.issuperset(one.evaluation for one in look.shown)]
        found = _counted(used, History(tuple(others), past.complete))
        why = "Nothing in the store shows that this was declared beforehand."
        return Standing("exploratory", why, beside=_earlier(found) if found else "")
    late = [one for one in used if past.complete is not None and declared[one.key].number > past.complete]
    if late:
        last = max(declared[one.key].number for one in late)
        before = tuple(look for look in past.looks if look.number < last)
        found = _counted(used, History(before, past.complete))
        return Standing("exploratory", _why(used, late, found), beside=_earlier(found))
    first = min((declared[one.key] for one in used), key=lambda record: record.number)
    settings = _declared_settings(used, declared, records)
    notes = [*_interim(used, past.looks, planned), *_reused(used, past.looks, declared)]
    if settings > 1:
        notes.append(
            f"This is one of {settings} settings of the same question that were declared in this store: what the "
            "others show belongs beside it."
        )
    return Standing(
        "confirmatory",
        f"Declared as record {first.number} of the store ({date(first.time)}), before any look had shown these arms on "
        "these test items.",
        tuple(notes),
        f"1 of {settings} declared settings" if settings > 1 else "",
    )


def _counted(used: Sequence[Used], past: History) -> list[Look]:
    """The looks at a comparison that all its arms have been shown of: those that showed more than its baseline, and
    the one that made it whole."""
    if past.complete is None:
        return []
    compared = {one.outcome.arm for one in used if one.compared}
    return [
        look for look in past.looks if look.number == past.complete or any(one.arm in compared for one in look.shown)
    ]


def _earlier(found: Sequence[Look]) -> str:
    return f"{len(found)} earlier {'look' if len(found) == 1 else 'looks'}"


def _why(used: Sequence[Used], late: Sequence[Used], found: Sequence[Look]) -> str:
    """Why a comparison whose `late` part was declared after looks is exploratory."""
    compared = {one.outcome.arm for one in used if one.compared}
    mine = {one.outcome.setting for one in used}
    others = []
    for look in found:
        shown = [one for one in look.shown if one.arm in compared] or look.shown
        if mine.isdisjoint(one.setting for one in shown):
            others.append(look)
    if others:
        of = "" if len(others) == len(found) else f", {len(others)} of them"
        return f"Declared after {_earlier(found)} at these test items{of} under other settings."
    seen = {one.seed for look in found for one in look.shown}
    added = {one.seed for one in late} - seen
    had = "a look" if len(found) == 1 else f"{len(found)} looks"
    if added:
        word, verb = ("Seed", "was") if len(added) == 1 else ("Seeds", "were")
        return f"{word} {ranges(added)} {verb} added after {had} had shown {_of(seen)}."
    return f"Declared only after {had} had shown these students ({_of(seen)})."


def _interim(used: Sequence[Used], past: Sequence[Look], planned: int) -> list[str]:
    """A note for each look at some of what had been declared."""
    arms, present = {one.arm for one in used}, {(one.arm, one.seed) for one in used}
    notes = []
    for look in past:
        settings = {(one.setting, one.seed) for one in look.shown}
        seen = {(one.arm, one.seed) for one in used if (one.outcome.setting, one.seed) in settings}
        # A look at what is there now is this very report, made before: it would differ from its first edition.
        if {arm for arm, _ in seen} != arms or seen == present:
            continue
        done = len(set.intersection(*({seed for name, seed in seen if name == arm} for arm in arms)))
        if done < planned:
            notes.append(f"A look was taken when {done} of {planned} declared seeds were done ({date(look.time)}).")
    return notes


def _reused(used: Sequence[Used], past: Sequence[Look], declared: Mapping[str, Record]) -> list[str]:
    """A note on what was there when it was declared, one for the unseen and one for what was seen without the rest."""
    seen = {
        one.key
        for one in used
        for look in past
        if look.number < declared[one.key].number and one.key in {shown.evaluation for shown in look.shown}
    }
    parts: dict[bool, dict[str, set[int]]] = {}
    for one in used:
        if one.key in declared[one.key].done:
            parts.setdefault(one.key in seen, {}).setdefault(one.arm, set()).add(one.seed)
    by_whom = {False: "by nobody", True: "by itself, not with what it is compared with"}
    return [
        f"Reused: {', '.join(f'{arm} ({_of(seeds)})' for arm, seeds in arms.items())}, evaluated for another ablation, "
        f"or another declaration, before this was declared, and seen {by_whom[was_seen]}."
        for was_seen, arms in parts.items()
    ]


def _declared_settings(used: Sequence[Used], declared: Mapping[str, Record], records: Iterable[Record]) -> int:
    """Under how many settings the store has declarations of the same arms on a test of the same items, this one
    included, whether or not they were run. The points of a grid are settings like any others."""
    wanted: dict[str, set[str]] = {}
    tests = set()
    for one in used:
        part = declared[one.key].content["evaluations"][one.key]
        wanted.setdefault(part["arm"], set()).add(part["setting"])
        tests.add(part["items_source"])
    found = set()
    for record in records:
        if record.kind != "declaration":
            continue
        settings: dict[str, set[str]] = {arm: set() for arm in wanted}
        for part in record.content.get("evaluations", {}).values():
            if part["arm"] in wanted and part["items_source"] in tests:
                settings[part["arm"]].add(part["setting"])
        if all(len(settings[arm]) >= len(mine) for arm, mine in wanted.items()):
            found.add(frozenset.union(*map(frozenset, settings.values())))
    return len(found)


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


def date(iso: str) -> str:
    """`2026-11-24 09:47:41 UTC`."""
    return iso.replace("T", " ").replace("+00:00", " UTC")
