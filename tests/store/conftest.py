"""A store, other hosts, a clock to turn, and processes to kill."""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from harbour import Harbour, outputs
from storm import synthetic, work

from clpd_bench.store import Store, durable, liveness, owner


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SLURM_"):
            monkeypatch.delenv(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return Store(root)


@pytest.fixture
def on_host(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], contextlib.AbstractContextManager]:
    """Acts as a process on another host would."""

    @contextlib.contextmanager
    def pretend(name: str) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, "socket", SimpleNamespace(gethostname=lambda: name))
            yield

    return pretend


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The observer's monotonic clock, which stands still until it is turned."""
    turned = Clock()
    monkeypatch.setattr(liveness, "time", turned)
    return turned


@pytest.fixture
def in_child() -> Callable[[Callable[[], None]], int]:
    """Runs a function in a forked process to its end; minus the signal that killed it, or 0."""

    def run(body: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            run_and_exit(body)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run


def run_and_exit(body: Callable[[], None]) -> NoReturn:
    try:
        body()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@pytest.fixture
def kill_before() -> Callable[[int], None]:
    """Makes this process kill itself just before its n-th change to the disk."""

    def arm(number: int) -> None:
        count = 0

        def step(operation: str, path: Path) -> None:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

        durable.before = step

    return arm


@pytest.fixture
def die(in_child: Callable[[Callable[[], None]], int]) -> Callable[[Callable[[], None]], None]:
    """Runs a function in a process that is killed after it."""

    def run(body: Callable[[], None]) -> None:
        def killed() -> None:
            body()
            os.kill(os.getpid(), signal.SIGKILL)

        assert in_child(killed) == -signal.SIGKILL

    return run


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The files' hashes of a run that nothing befell."""
    root = tmp_path_factory.mktemp("calm")
    assert work(root) == 0
    return outputs(root, synthetic())


@pytest.fixture
def harbour(root: Path, calm: dict[str, Any]) -> Harbour:
    return Harbour(root, calm)
