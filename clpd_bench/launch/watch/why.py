"""`clpd show CELL --why`: what is new since the last artifact, and what would run again for it."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.plan.code_versions import code_version
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.plan.why import Cause, Known, causes, of_job, of_record
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.store import Store


@dataclass(frozen=True)
class Why:
    """Attributes:
    name: the cell's id, or the job's label.
    new: root causes; empty where nothing is new, or nothing was made before.
    before: labels of the jobs that are compared with an earlier artifact, with when it was made.
    begun: whether some of what is asked for is in the store as it is.
    again: the jobs that have to run, parents first.
    outdated: why the plan itself may not be what a run would do now.
    """

    name: str
    new: list[Cause]
    before: dict[str, str]
    begun: bool
    again: list[Job]
    outdated: list[str]
    file: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "new": [{**vars(cause), "sentence": str(cause)} for cause in self.new],
            "before": self.before,
            "runs_again": [{"key": job.key, "kind": job.kind, "label": job.label} for job in self.again],
            "plan_outdated": self.outdated,
        }

    def text(self) -> str:
        if not self.again:
            lines = [f"{self.name}: nothing is new; all that it needs is in the store."]
        elif not self.before and self.begun:
            lines = [f"{self.name}: nothing is new; the rest has never been made."]
        elif not self.before:
            lines = [f"{self.name}: nothing was made for it before, so everything is new."]
        else:
            since = ", ".join(f"{label} of {made}" for label, made in self.before.items())
            lines = [f"{self.name}: new since {since}:", *(f"  {cause}" for cause in self.new)]
        if self.again:
            lines += [f"To run for it ({len(self.again)}):", *(f"  {job.label}" for job in self.again)]
        if self.outdated:
            lines += [f"{reason}: clpd plan {self.file} says what a run would do now." for reason in self.outdated]
        return "\n".join(lines)


def explain(name: str, plan: Plan, job: Job, store: Store) -> Why:
    """Of the cell with this id, its student and evaluations; of any other job, itself.

    Args:
        name: what the user called it; `plan` and `job` are what `find_job` found by it.
    """
    stored = [json.loads(file.read_text(encoding="utf-8")) for file in store.plans()]
    mine = [cell for cell in plan.cells if cell.model == job.key]
    cell_id = next((cell.id for cell in sorted(mine, key=lambda cell: not cell.is_called(name))), None)
    roots = _roots_of_cell(plan.to_json(), cell_id) if cell_id else {"": job.key}
    new: list[Cause] = []
    before: dict[str, str] = {}
    for role, key in roots.items():
        if store.is_done(key):
            continue
        earlier = _last_made(role, cell_id, job.label, key, plan.name, stored, store)
        if earlier is None:
            continue
        label = plan.jobs[key].label
        before[label] = store_time(store, earlier)
        lookup = functools.partial(_known, stored=stored, store=store)
        old = lookup(earlier)
        assert old is not None
        new += causes(of_job(plan.jobs[key]), old, lambda k: of_job(plan.jobs[k]), lookup)
    needed = {k for key in roots.values() for k in plan.ancestors(key)}
    again = [one for key, one in plan.jobs.items() if key in needed and not store.is_done(key)]
    begun = any(store.is_done(key) for key in roots.values())
    return Why(
        cell_id or job.label, list(dict.fromkeys(new)), before, begun, again, outdated(plan, needed, store), plan.file
    )


def _roots_of_cell(plan: dict[str, Any], cell_id: str | None) -> dict[str, str]:
    """{"student" or a benchmark's role: key}, nothing where the plan has no such cell."""
    for cell in plan["cells"]:
        if cell["id"] == cell_id:
            return {"student": cell["model"], **{f"on {name}": key for name, key in cell["evaluations"].items()}}
    return {}


def _last_made(
    role: str, cell_id: str | None, label: str, key: str, name: str, stored: list[dict[str, Any]], store: Store
) -> str | None:
    """The key of the newest other artifact in this place, None if there never was one."""
    found: set[str] = set()
    for plan in stored:
        if plan["name"] != name:
            continue
        if cell_id:
            found |= {k for one, k in _roots_of_cell(plan, cell_id).items() if one == role}
        else:
            found |= {job["key"] for job in plan["jobs"] if job["label"] == label}
    made = [k for k in found if k != key and store.is_done(k)]
    return max(made, key=lambda k: store_time(store, k), default=None)


def store_time(store: Store, key: str) -> str:
    return str((store.manifest(key) or {}).get("created", ""))


def _known(key: str, stored: list[dict[str, Any]], store: Store) -> Known | None:
    """By its manifest, or by a plan that had it."""
    manifest = store.manifest(key)
    if manifest:
        return of_record(key, manifest)
    planned = next((job for plan in stored for job in plan["jobs"] if job["key"] == key), None)
    return of_record(key, planned) if planned else None


def outdated(plan: Plan, keys: set[str], store: Store) -> list[str]:
    """What has changed since the newest stored plan of this ablation was written."""
    jobs = [plan.jobs[key] for key in plan.jobs if key in keys]
    kinds = dict.fromkeys(job.kind for job in jobs if job.code != code_version(job.kind))
    found = [f"The code of kind {kind} has changed since this plan" for kind in kinds]
    written = next((f.stat().st_mtime for f in store.plans() if _is(f, plan)), 0.0)
    sources = [job.spec.corpus.source for job in jobs if isinstance(job.spec, CorpusSpec)]
    files = [Path(plan.file), *(path for source in sources for path in source.local_files.values())]
    return found + [f"{file} is newer than this plan" for file in files if _time(file) > written]


def _is(file: Path, plan: Plan) -> bool:
    return bool(json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(plan.to_json())))


def _time(file: Path) -> float:
    return file.stat().st_mtime if file.exists() else 0.0
