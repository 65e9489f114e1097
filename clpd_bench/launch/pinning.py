"""Pinning: the commit of each model, data set and task of a plan, and what of it lies in the hub's cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.launch.fetch import lacking
from clpd_bench.outside.hub import WORDS, Repository, commit_of
from clpd_bench.outside.lm_eval_tasks import find_task, own_tasks, task_names
from clpd_bench.plan.lock import Lock, LockedTask, is_pinned, lm_eval_version, named, needs
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.hub import is_commit, short
from clpd_bench.settings.specs import TaskSpec

Commits = dict[str, dict[str, str]]
Ask = Callable[[str, str, Repository], str]


@dataclass(frozen=True)
class Change:
    """An entry of the old lock, the new one, or both.

    Attributes:
        what: `model`, `data set` or `task`.
        revision: the branch or tag; of a task None.
        before, after: the commit, or a task's sha256; None where there is no entry.
    """

    what: str
    id: str
    revision: str | None
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """`model org/thing at main: 0123456789ab -> ba9876543210`."""
        name = f"{self.what} {self.id}" + (f" at {self.revision}" if self.revision else "")
        if self.after is None:
            return f"{name}: no longer needed"
        after = short(self.after) if self.revision else self.after[:12]
        if self.before is None:
            return f"{name}: {after} (new)"
        before = short(self.before) if self.revision else self.before[:12]
        return f"{name}: {after} (as before)" if self.before == self.after else f"{name}: {before} -> {after}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pinned(plan: Plan, keep: Lock, ask: Ask = commit_of, say: Callable[[str], None] = lambda what: None) -> Lock:
    """A lock for a plan that was made without any.

    Args:
        keep: what stands in it stays; of all else the hub is asked.
        ask: the commit of a repository's revision; raises as `hub.commit_of`.
        say: told what the hub is asked for, before it is.

    Raises:
        UserError: the hub does not tell, or lm-eval has no such task.
    """
    commits: dict[Repository, Commits] = {"model": {}, "dataset": {}}
    tasks: dict[str, LockedTask] = {}

    def pin(kind: Repository, repository: str, revision: str) -> None:
        known = commits[kind].get(repository, {})
        if is_commit(revision) or revision in known:
            return
        commit = keep.commit(kind, repository, revision)
        if not is_commit(commit):
            say(f"{WORDS[kind]} {repository} at {revision}")
            commit = ask(repository, revision, kind)
        commits[kind][repository] = {**known, revision: commit}

    for need in needs(plan):
        if isinstance(need, TaskSpec):
            if need.include is None:
                tasks[need.task] = keep.task(need.task) or _own(need.task)
            data = need.data if need.include is not None else tasks[need.task].data
            if data is not None:
                pin("dataset", data.dataset, data.revision)
        else:
            name = named(need)
            assert name.revision is not None
            pin("model" if name.what == "model" else "dataset", name.id, name.revision)
    version = lm_eval_version() if tasks else None
    return Lock(lm_eval=version, models=commits["model"], datasets=commits["dataset"], tasks=tasks)


def without_pin(lock: Lock) -> list[str]:
    """Tasks whose data nobody can say from outside."""
    return [name for name, task in lock.tasks.items() if task.data is None]


def changes(old: Lock, new: Lock) -> list[Change]:
    """Entry by entry: first those of the new lock, then those that went."""
    before, after = _entries(old), _entries(new)
    return [Change(*entry, before.get(entry), after.get(entry)) for entry in [*after, *(before.keys() - after.keys())]]


def _entries(lock: Lock) -> dict[tuple[str, str, str | None], str]:
    found: dict[tuple[str, str, str | None], str] = {}
    for what, commits in (("model", lock.models), ("data set", lock.datasets)):
        found |= {(what, name, ref): commit for name, refs in commits.items() for ref, commit in refs.items()}
    return found | {("task", name, None): task.sha256 for name, task in lock.tasks.items()}


def _own(name: str) -> LockedTask:
    folder = own_tasks()
    found = find_task(name, folder)
    if found is None:
        raise UserError(
            f"lm-eval {lm_eval_version()} has no task {name!r} (a group is none: make each of its tasks a benchmark)",
            found=name,
            allowed=task_names(folder),
        )
    return LockedTask(file=found.path.relative_to(folder.resolve()).as_posix(), sha256=found.sha256, data=found.data)


@dataclass(frozen=True)
class Covered:
    """A model, data set or task.

    Attributes:
        revision: the commit; the branch or tag where it is not pinned; None of a task without data of the hub's.
        lacking: what is not in the cache, a sentence; None where it is there whole, or not pinned.
    """

    what: str
    id: str
    revision: str | None
    pinned: bool
    lacking: str | None

    @property
    def ready(self) -> bool:
        return self.pinned and self.lacking is None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "in_cache": self.ready}


def covered(plan: Plan) -> list[Covered]:
    """Of a plan with its lock; each repository once at a revision, by what of it is missing."""
    rows: dict[tuple[str, str, str | None], Covered] = {}
    for need in needs(plan):
        name, pinned = named(need), is_pinned(need)
        row = Covered(name.what, name.id, name.revision, pinned, lacking(need) if pinned else None)
        place = (name.what, name.id, name.revision)
        if place not in rows or rows[place].ready:
            rows[place] = row
    return list(rows.values())
