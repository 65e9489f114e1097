"""One of the two that are compared: its cells, and where their outcomes are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Job, Plan, PlannedEvaluation
from clpd_bench.plan.why import Known, of_record
from clpd_bench.store import Store


@dataclass(frozen=True)
class Side:
    """Attributes:
    title: what it is called beside the other.
    about: where it comes from, a sentence.
    cells: by their ids without the ablation's name: `clpd[strength=0.6]/0`.
    jobs: {key: a plan's record of it}.
    specs: {key: job}; empty where another version of the code planned it, whose settings cannot be read.
    """

    title: str
    about: str
    store: Store
    cells: dict[str, PlannedEvaluation]
    jobs: dict[str, Mapping[str, Any]]
    specs: Mapping[str, Job]

    def known(self, key: str) -> Known | None:
        """What a job's key is made of, by the plan, or by its manifest."""
        record = self.jobs.get(key) or self.store.manifest(key)
        return of_record(key, record) if record else None


def two_sides(first: Plan, store: Store, second: Plan, other: Store) -> tuple[Side, Side]:
    """The first as its file has it now. The second likewise, if its store has any of that; otherwise, and where that
    would be the first once more, as the newest plan that its store keeps of it: what an earlier version of the file or
    of the code made.

    Raises:
        UserError: one of them has no outcomes.
    """
    one, its = first.to_json(), second.to_json()
    if not _done(_cells(one).values(), store):
        raise _nothing(first.file, store)
    same_store = store.root.resolve() == other.root.resolve()
    again = same_store and _evaluations(_cells(one)) == _evaluations(_cells(its))
    earlier = None
    if again or not _done(_cells(its).values(), other):
        earlier = _earlier(second.name, _cells(one) if same_store else {}, other)
        if earlier is None and again:
            raise UserError(
                "this would be compared with itself, and its store has nothing of it that was made from other settings "
                "or by other code",
                file=second.file,
                fix="Name another ablation, or another store: --compare-store DIR",
            )
        if earlier is None:
            raise _nothing(second.file, other)
    titles = [first.name, second.name]
    if first.name == second.name:
        titles = [f"{first.name}, {'now' if same_store else store.root}", f"{second.name}, {other.root}"]
        titles[1] = f"{second.name}, before" if same_store else titles[1]
    return _side(titles[0], one, store, stored=False), _side(
        titles[1], earlier or its, other, stored=earlier is not None
    )


def _side(title: str, plan: Mapping[str, Any], store: Store, *, stored: bool) -> Side:
    kept = ", as the newest fitting plan in its store has it" if stored else ", as it stands now"
    about = f"{title}: {plan['file']}{kept}; outcomes from {store.root}."
    try:
        specs = Plan.from_json(dict(plan)).jobs
    except ValidationError:
        specs = {}
    return Side(title, about, store, _cells(plan), {job["key"]: job for job in plan["jobs"]}, specs)


def _cells(plan: Mapping[str, Any]) -> dict[str, PlannedEvaluation]:
    return {cell.short_id: cell for cell in (PlannedEvaluation(**fields) for fields in plan["cells"])}


def _evaluations(cells: Mapping[str, PlannedEvaluation]) -> dict[str, dict[str, str]]:
    return {name: cell.evaluations for name, cell in cells.items()}


def _done(cells: Iterable[PlannedEvaluation], store: Store) -> bool:
    return any(store.is_done(key) for cell in cells for key in cell.evaluations.values())


def _earlier(name: str, but: Mapping[str, PlannedEvaluation], store: Store) -> dict[str, Any] | None:
    """The newest stored plan of an ablation that has an outcome which `but` does not have."""
    known = {key for cell in but.values() for key in cell.evaluations.values()}
    for file in store.plans():
        plan: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
        if plan["name"] == name:
            keys = {key for cell in _cells(plan).values() for key in cell.evaluations.values()} - known
            if any(store.is_done(key) for key in keys):
                return plan
    return None


def _nothing(file: str, store: Store) -> UserError:
    return UserError(
        f"nothing of it has been evaluated in {store.root}", file=file, fix=f"Run it first: clpd run {file}"
    )
