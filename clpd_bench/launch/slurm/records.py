"""What is on disk of a launch, `<store>/launches/<id>`: written before Slurm hears of it, so that whoever
looks at the queue later can tell what each of its jobs is for, whatever became of the launcher.
"""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from clpd_bench.launch.slurm.batches import Batch
from clpd_bench.launch.slurm.queue import MARK, Task
from clpd_bench.store import durable
from clpd_bench.store.clock import now

FOLDER = "launches"


@dataclass(frozen=True)
class Launch:
    """Attributes:
    id: its name among all launches.
    ablation: the plan's name; `file` and `site` are the files as they were named.
    """

    id: str
    ablation: str
    file: str
    site: str
    user: str
    host: str
    created: str

    @classmethod
    def new(cls, ablation: str, file: Path, site: Path) -> Launch:
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return cls(name, ablation, str(file), str(site), getpass.getuser(), socket.gethostname(), now())


@dataclass(frozen=True)
class Array:
    """Batches that are submitted in one go.

    Attributes:
        gpus: of one worker, so while one of its jobs runs; 0 in records older than this field.
        job: Slurm's number; None where none came back: not submitted, or the launcher died over it.
    """

    number: int
    profile: str
    batches: tuple[tuple[str, ...], ...]
    job: str | None = None
    gpus: float = 0.0


def folder(store: Path, launch: str) -> Path:
    return store / FOLDER / launch


def plan_file(launch_folder: Path) -> Path:
    return launch_folder / "plan.json"


def logs(launch_folder: Path) -> Path:
    return launch_folder / "logs"


def snapshot(launch_folder: Path) -> Path:
    return launch_folder / "snapshot"


def comment(launch: str, array: int) -> str:
    return f"{MARK}:{launch}/{array}"


def write(store: Path, launch: Launch, made: list[Batch], arrays: list[list[int]], gpus: Mapping[str, float]) -> None:
    """All that is to be known of a launch, before its first job is submitted.

    Args:
        gpus: of one worker, by profile.
    """
    place = folder(store, launch.id)
    durable.make_folder(place / "arrays")
    for number, members in enumerate(arrays):
        profile = made[members[0]].profile
        content = {"profile": profile, "gpus": gpus[profile], "batches": [list(made[i].keys) for i in members]}
        durable.write_json(place / "arrays" / f"{number}.json", content)
    durable.write_json(place / "launch.json", asdict(launch))


def write_job(launch_folder: Path, array: int, job: str) -> None:
    durable.write_json(launch_folder / "arrays" / f"{array}.job.json", {"job": job})


def launches(store: Path) -> list[Launch]:
    """Newest first. One whose record is not there was cut short before it submitted anything."""
    found = []
    for place in sorted((store / FOLDER).glob("*"), reverse=True):
        if (content := durable.read_json(place / "launch.json")) is not None:
            found.append(Launch(**content))
    return found


def array(launch_folder: Path, number: int) -> Array | None:
    content = durable.read_json(launch_folder / "arrays" / f"{number}.json")
    if content is None:
        return None
    job = (durable.read_json(launch_folder / "arrays" / f"{number}.job.json") or {}).get("job")
    return Array(
        number, content["profile"], tuple(tuple(keys) for keys in content["batches"]), job, content.get("gpus", 0.0)
    )


def arrays(launch_folder: Path) -> list[Array]:
    names = [path.stem for path in (launch_folder / "arrays").glob("*.json") if path.stem.isdecimal()]
    found = (array(launch_folder, number) for number in sorted(int(name) for name in names))
    return [one for one in found if one is not None]


def profiles_of_launches(store: Path) -> dict[str, str]:
    """The profile that a key was last submitted with."""
    out: dict[str, str] = {}
    for launch in launches(store):
        for one in arrays(folder(store, launch.id)):
            for key in (key for batch in one.batches for key in batch):
                out.setdefault(key, one.profile)
    return out


@dataclass(frozen=True)
class Queued:
    """A Slurm task of a launch in this store, with the keys that it works through."""

    task: Task
    launch: str
    array: int
    keys: tuple[str, ...]


def queued(store: Path, tasks: Iterable[Task]) -> list[Queued]:
    """Those of the tasks that belong to launches in this store."""
    seen: dict[tuple[str, int], Array | None] = {}
    found = []
    for task in tasks:
        mark, _, rest = task.comment.partition(":")
        launch, _, number = rest.partition("/")
        if mark != MARK or not number.isdecimal() or "/" in launch or launch.startswith("."):
            continue
        place = (launch, int(number))
        if place not in seen:
            seen[place] = array(folder(store, launch), int(number))
        one = seen[place]
        if one is not None and task.index < len(one.batches):
            found.append(Queued(task, launch, place[1], one.batches[task.index]))
    return found


def users(store: Path) -> set[str]:
    """Everyone who launched in this store, and who asks."""
    return {getpass.getuser(), *(launch.user for launch in launches(store))}
