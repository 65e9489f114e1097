"""The launch itself: what is left to do, as Slurm jobs, one launcher at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clpd_bench.costs.hours import Estimates, measured
from clpd_bench.costs.machines import Machine, Machines
from clpd_bench.errors import UserError
from clpd_bench.launch.prepare import data_keys
from clpd_bench.launch.slurm import queue, records, snapshot
from clpd_bench.launch.slurm.batches import Batch, Limits, arrays, batches, fitted
from clpd_bench.launch.slurm.records import Launch, Queued
from clpd_bench.launch.slurm.site import STUDENT, Site
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Owner, Store, durable


@dataclass(frozen=True)
class Prepared:
    """What a launch would submit.

    Attributes:
        batches: in an order in which what others wait for comes first.
        arrays: numbers of the batches that are submitted in one go.
        slurm_ids: {key: Slurm's id} of what other launches are at.
        held: keys that wait for a failed or given-up one.
        failed: those.
    """

    batches: list[Batch]
    arrays: list[list[int]]
    slurm_ids: dict[str, str]
    held: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def to_json(self, jobs: list[str]) -> dict[str, Any]:
        """Arrays with their batches; `job` is Slurm's number, where there is one."""
        arrays = [
            {
                "job": jobs[a] if jobs else None,
                "profile": self.batches[members[0]].profile,
                "batches": [
                    {"keys": list(self.batches[n].keys), "estimated_seconds": self.batches[n].seconds} for n in members
                ],
            }
            for a, members in enumerate(self.arrays)
        ]
        return {"arrays": arrays, "failed": self.failed, "held": self.held}


@dataclass(frozen=True)
class Submitted:
    """Attributes:
    jobs: Slurm's number of each array.
    """

    launch: Launch
    prepared: Prepared
    jobs: list[str]

    def to_json(self) -> dict[str, Any]:
        return {"launch": self.launch.id, **self.prepared.to_json(self.jobs)}


def prepare(plan: Plan, site: Site, limits: Limits, store: Store, waiting: list[Queued]) -> Prepared:
    """Batches and arrays for all that nobody is at.

    Raises:
        UserError: there is no room for them.
    """
    ids = {key: one.task.id for one in waiting for key in one.keys if one.task.is_alive}
    leaving = {key for one in waiting if one.task.state == "COMPLETING" for key in one.keys}
    states = {key: store.state(key) for key in plan.jobs}
    # Data is made where `launch` is typed, before anything is submitted.
    done = {key for key, state in states.items() if state == "done"} | set(data_keys(plan))
    failed = {key for key in plan.jobs if key not in done and not store.may_claim(key) and states[key] != "running"}
    held: set[str] = set()
    for key, job in plan.jobs.items():
        if key not in done | failed and (failed | held) & set(job.parents.values()):
            held.add(key)
    # What runs without Slurm's knowledge, here or elsewhere, is waited for by whoever needs it.
    busy = {key for key, state in states.items() if state == "running"} - leaving
    alive = (set(ids) - leaving) | busy
    todo = set(plan.jobs) - done - failed - held - alive
    profile = profiles(plan, site)
    seconds = Estimates(plan, measured(plan, store)).seconds

    def make(full: Callable[[str], float], unknown: int) -> list[Batch]:
        return batches(plan, todo, set(ids), profile, seconds, full, unknown)

    made = fitted(site, limits, make)
    needed = {key: ids[key] for batch in made for key in batch.outside}
    in_order = [key for key in plan.jobs if key in held], [key for key in plan.jobs if key in failed]
    return Prepared(made, arrays(made, limits.array), needed, *in_order)


def profiles(plan: Plan, site: Site) -> Callable[[str], str]:
    """The name of the profile of a key."""
    names = _names_of_models(plan)

    def profile(key: str) -> str:
        job = plan.jobs[key]
        return site.use.profile(job.kind, names.get(key if job.kind == "model" else job.parents.get("model", ""), []))

    return profile


def machines(site: Site, plan: Plan, store: Store) -> Machines:
    """What jobs of the plan run on here, and what they ran on in former launches."""
    by_profile = {
        name: Machine(one.memory_of_worker, one.gpus / one.tasks, one.flops_a_second)
        for name, one in site.profiles.items()
    }
    return Machines(by_profile, profiles(plan, site), records.profiles_of_launches(store.root))


def _names_of_models(plan: Plan) -> dict[str, list[str]]:
    """{key of a model: the names by which rules of a site may call it}."""
    names = {key: list(own) for key, own in plan.models.items()}
    for cell in plan.cells:
        names.setdefault(cell.model, []).append(STUDENT)
    return names


def submit(
    plan: Plan,
    site: Site,
    site_file: Path,
    store: Store,
    limits: Callable[[], Limits],
    waiting: Callable[[Owner | None], None],
    progress: Callable[[int, int], None],
) -> Submitted | None:
    """Submits what is left to do; None if that is nothing.

    Args:
        limits: asked once it is our turn.
        waiting: called with another launcher, whose end is waited for.
        progress: (arrays submitted, of how many).

    Raises:
        UserError: Slurm cannot be asked, has no room, or refuses. What was submitted by then stays.
    """
    refuse_lines(str(store.root), "the store's path")
    refuse_lines(plan.name, "the ablation's name")
    with store.turn("launch", waiting):
        queued = records.queued(store.root, queue.tasks(records.users(store.root)))
        prepared = prepare(plan, site, limits(), store, queued)
        launch = Launch.new(plan.name, Path(plan.file), site_file)
        if not prepared.batches:
            return None if not prepared.failed else Submitted(launch, prepared, [])
        place = records.folder(store.root, launch.id)
        durable.make_folder(records.logs(place))
        durable.write_json(records.plan_file(place), snapshot.take(plan, records.snapshot(place)))
        gpus = {name: profile.gpus / profile.tasks for name, profile in site.profiles.items()}
        records.write(store.root, launch, prepared.batches, prepared.arrays, gpus)
        jobs = submitted_arrays(store.root, launch, site, prepared, progress)
    return Submitted(launch, prepared, jobs)


def options_by_profile(
    plan: Plan, site: Site, site_file: Path, store: Store, prepared: Prepared
) -> dict[str, list[str]]:
    """What sbatch would be asked for; nothing is written."""
    from clpd_bench.launch.slurm.executor import ArrayExecutor

    launch = Launch.new(plan.name, Path(plan.file), site_file)
    names = dict.fromkeys(prepared.batches[members[0]].profile for members in prepared.arrays)
    return {name: ArrayExecutor(store.root, launch, site, name, 0, 1).options() for name in names}


def submitted_arrays(
    store: Path, launch: Launch, site: Site, prepared: Prepared, progress: Callable[[int, int], None]
) -> list[str]:
    from clpd_bench.launch.slurm.executor import ArrayExecutor

    jobs: list[str] = []
    place = {number: (a, i) for a, members in enumerate(prepared.arrays) for i, number in enumerate(members)}
    for a, members in enumerate(prepared.arrays):
        profile = prepared.batches[members[0]].profile
        executor = ArrayExecutor(store, launch, site, profile, a, len(members))
        jobs.append(executor.submit_after(dependency(members, prepared, place, jobs)))
        progress(a + 1, len(prepared.arrays))
    return jobs


def dependency(
    members: list[int], prepared: Prepared, place: dict[int, tuple[int, int]], jobs: list[str]
) -> str | None:
    """`afterany:120:121_3`: after batches of whole arrays, of single elements, and what others are at."""
    made = [prepared.batches[number] for number in members]
    ids = {prepared.slurm_ids[key] for batch in made for key in batch.outside}
    wanted: dict[int, set[int]] = {}
    for number in {number for batch in made for number in batch.after}:
        array, index = place[number]
        wanted.setdefault(array, set()).add(index)
    for array, indices in wanted.items():
        whole = len(indices) == len(prepared.arrays[array])
        ids |= {jobs[array]} if whole else {f"{jobs[array]}_{index}" for index in indices}
    return "afterany:" + ":".join(sorted(ids)) if ids else None


def refuse_lines(text: str, what: str) -> None:
    """Raises:
    UserError: the text would become more than one line of a job script, or a pattern of Slurm's.
    """
    if not text.isprintable() or "%" in text or "\\" in text:
        raise UserError(
            f"{what} has a character that cannot stand in a job script: {text!r}",
            fix="Rename it; Slurm reads % and \\ in the names of its logs as patterns",
        )
