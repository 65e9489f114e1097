"""What watching needs to hear of a scheduler that jobs of a plan were given to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clpd_bench.launch.remedies import Remedy


class Task(Protocol):
    """A living task of a scheduler, in its own words."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def is_running(self) -> bool: ...
    @property
    def waits_for(self) -> str: ...


class Queue(Protocol):
    """One look at a scheduler's queue.

    `scheduler` is its name; `tasks` are the living ones by the keys that they work through; `gpus` are a key's while it
    is worked on; `error` says why the queue could not be asked; `site` is the site file of the newest launch.
    """

    @property
    def scheduler(self) -> str: ...
    @property
    def tasks(self) -> Mapping[str, Task]: ...
    @property
    def gpus(self) -> Mapping[str, float]: ...
    @property
    def error(self) -> str: ...
    @property
    def site(self) -> str: ...
    def is_of(self, task: Any, scheduler: Any) -> bool: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Loss:
    """How a scheduler's job ended under an attempt; `reason` is empty where its accounts do not tell."""

    remedy: Remedy
    reason: str = ""


class Accounts(Protocol):
    """What a scheduler leaves of jobs that ended, by what owner files say of it; `scheduler` is its name."""

    @property
    def scheduler(self) -> str: ...
    def outputs(self, scheduler: Any, task: Any = None) -> list[Path]: ...
    def losses(self, owners: Mapping[str, Any]) -> dict[str, Loss]: ...
