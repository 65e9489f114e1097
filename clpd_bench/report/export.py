"""A finished model as a folder of its own: its files, its card, the benchmarks that it was scored on."""

from __future__ import annotations

import shlex
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.report.card.card import model_card
from clpd_bench.report.card.scores import scores_of
from clpd_bench.report.card.subject import Subject, example_of, subject_of
from clpd_bench.report.card.tasks import Task, tasks_of
from clpd_bench.results.looks import leave_word, shown
from clpd_bench.store import Store
from clpd_bench.store.artifacts import copy_files
from clpd_bench.store.states import State

CARD = "README.md"
OTHERS = frozenset({"training.json", CARD})
"""What may lie beside a model's own files and does not go with them."""

_NEXT: dict[State, str] = {
    "pending": "Train it: clpd run {file}",
    "running": "Wait for it: clpd status {file} --watch",
    "lost": "It goes on with clpd run {file}",
    "blocked": "See what it waits for: clpd status {file}",
    "failed": "See why: clpd status {file} --failures; then clpd retry {file}, and clpd run {file}",
}


@dataclass(frozen=True)
class Exported:
    """Attributes:
    label, key: of the model's job.
    files: names in the folder, sorted.
    recorded: whether the store has word of the scores on the card.
    """

    label: str
    key: str
    folder: Path
    files: list[str]
    bytes: int
    tasks: list[Task]
    recorded: bool


def _finished(plan: Plan, job: Job, store: Store) -> tuple[dict[str, Any], list[str]]:
    """The manifest of a finished model, and the names of the files that libraries load.

    Raises:
        UserError: the job makes no model, or has not made it yet.
    """
    if job.kind != "model":
        raise UserError(
            f"{job.label} is not a model (a job of kind {job.kind})", fix="Give a cell, or the key of a model"
        )
    manifest = store.manifest(job.key)
    if manifest is None:
        if error := store.damage(job.key):
            raise error
        state = store.state(job.key)
        file = shlex.quote(plan.file)
        raise UserError(f"{job.label} is not finished: it is {state}", fix=_NEXT[state].format(file=file))
    names = [name for name in manifest["files"] if "/" not in name and name not in OTHERS]
    return manifest, names


def export(
    name: str, plan: Plan, job: Job, store: Store, folder: Path, copying: Callable[[int, int], None]
) -> Exported:
    """Write a folder that `from_pretrained` and lm-eval load. It stands there whole or not at all. The store is left
    word of the scores on its card, as of a report.

    Args:
        name: the cell's id or key that the job was found by.
        copying: called with (bytes done, of) as the model is copied.

    Raises:
        UserError: the model is not finished or is damaged; the folder cannot be made or has something in it.
    """
    manifest, names = _finished(plan, job, store)
    place = folder.resolve()
    _check_free(place, store)
    subject = subject_of(name, plan, job)
    recorded = leave_word(shown(subject.all_seeds.cells, plan.jobs, store), store)
    unfinished = place.with_name(f".{place.name}.{uuid.uuid4().hex}.part")
    try:
        unfinished.mkdir(parents=True)
        _copy_model(store.artifact(job.key), manifest, names, unfinished, copying)
        tasks = _add_rest(subject, store, unfinished, _command(name, folder))
        files = sorted(path for path in unfinished.rglob("*") if path.is_file())
        sizes = [path.stat().st_size for path in files]
        unfinished.rename(place)  # an empty folder gives way, any other refuses
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=folder, fix="Name another folder") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Exported(
        job.label,
        job.key,
        folder,
        [path.relative_to(unfinished).as_posix() for path in files],
        sum(sizes),
        tasks,
        recorded,
    )


def _copy_model(
    artifact: Path, manifest: Mapping[str, Any], names: list[str], folder: Path, copying: Callable[[int, int], None]
) -> None:
    total = sum(manifest["files"][name]["bytes"] for name in names)
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        copying(done, total)

    copy_files(artifact, manifest, {name: folder / name for name in names}, copied)


def _add_rest(subject: Subject, store: Store, folder: Path, command: str) -> list[Task]:
    """The benchmarks' task files and the card, beside a model whose files are known to be sound."""
    scores, missing = scores_of(subject, store)
    shown = example_of(subject.reads, store, folder) if subject.reads else None
    tasks = tasks_of(subject.evaluated, subject.plan, store, folder)
    for task in tasks:
        copies = {name: folder / task.folder / name for name in task.files}
        copy_files(store.artifact(task.key), store.manifest(task.key) or {}, copies, lambda size: None)
    card = model_card(subject, store, scores, missing, tasks, shown, command)
    (folder / CARD).write_text(card, encoding="utf-8")
    return tasks


def _command(name: str, folder: Path) -> str:
    return f"clpd export {shlex.quote(name)} {shlex.quote(folder.name)}"


def _check_free(folder: Path, store: Store) -> None:
    if folder.is_relative_to(store.root.resolve()):
        raise UserError("lies in the store, which holds what its jobs publish", file=folder, fix="Name another folder")
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        what = "has something in it" if folder.is_dir() else "is there and is no folder"
        raise UserError(f"{what}, and an export replaces nothing", file=folder, fix="Name another folder")
