"""Whether owners in Slurm jobs live, by canned answers of squeue; and that each verb asks so."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from canned_slurm import TINY, CannedSlurm
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.launch.slurm import queue
from clpd_bench.launch.slurm.liveness import Liveness, open_store
from clpd_bench.store import Owner, owner

CLI = Path(__file__).parents[2] / "clpd_bench" / "cli"
LABEL = "model small"
NODES = itertools.count()


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    for name in ("SLURM_RESTART_COUNT", "SLURM_CLUSTER_NAME"):
        monkeypatch.delenv(name, raising=False)
    return CannedSlurm(tmp_path, monkeypatch)


def claimed(
    slurm: CannedSlurm, raw: str = "120", array: str | None = "120_3", cluster: str = "lab", key: str = ""
) -> str:
    """The key of an attempt in that Slurm job, on another host, under way."""
    key, host = key or slurm.key(LABEL), f"node{next(NODES)}"
    slurm.in_job(raw, array, cluster)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "socket", SimpleNamespace(gethostname=lambda: host))
        assert open_store(slurm.store.root).claim(key)
    slurm.outside()
    return key


def state(slurm: CannedSlurm) -> str:
    return open_store(slurm.store.root).state(slurm.key(LABEL))


@pytest.mark.parametrize(
    ("listed", "expected"),
    # Elements of an array that have not started are all listed under the array's own number.
    [(["7"], "lost"), (["120", "120_4"], "lost"), (["120_3"], "running"), (None, "running")],
)
def test_owner_missing_from_a_successful_squeue_is_dead(
    slurm: CannedSlurm, listed: list[str] | None, expected: str
) -> None:
    claimed(slurm)
    slurm.squeue = None if listed is None else [f"{name}|1|RUNNING|None|" for name in listed]
    assert state(slurm) == expected


def test_squeue_is_believed_of_its_own_cluster_alone(slurm: CannedSlurm) -> None:
    claimed(slurm, cluster="other")
    assert state(slurm) == "running"
    assert "squeue" not in slurm.calls


@pytest.mark.parametrize(("own", "named"), [("lab", "other"), ("lab", None), (None, None)])
def test_an_owner_of_another_or_an_unnamed_cluster_is_not_found_dead_by_silence(
    monkeypatch: pytest.MonkeyPatch, own: str | None, named: str | None
) -> None:
    """Two clusters without a name need not be one."""
    monkeypatch.setattr(queue, "cluster", lambda: own)
    job = {"id": "120", "cluster": named, "restarts": 0, "user": os.getuid()}
    liveness = Liveness()
    liveness.hear({"7"})
    assert liveness.lives(Owner.this_process(scheduler=job)) is None


def test_silence_of_squeue_says_nothing_of_another_users_attempt(
    slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(slurm)
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert state(slurm) == "running"


def test_owner_outside_slurm_is_not_looked_for_in_squeue(slurm: CannedSlurm) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "socket", SimpleNamespace(gethostname=lambda: "elsewhere"))
        slurm.store.claim(slurm.key(LABEL))
    assert state(slurm) == "running"
    assert slurm.calls == []


def test_squeue_is_asked_once_however_many_owners_there_are(slurm: CannedSlurm) -> None:
    claimed(slurm)
    store = open_store(slurm.store.root)
    assert [store.state(slurm.key(LABEL)) for _ in range(3)] == ["lost"] * 3
    assert slurm.calls.count("squeue") == 1


@pytest.mark.parametrize(
    ("raw", "cluster", "restarts", "grants"),
    [("123", "lab", "1", True), ("123", "lab", "0", False), ("124", "lab", "1", False), ("123", "other", "1", False)],
)
def test_later_run_of_the_same_job_of_the_same_cluster_finds_the_earlier_dead(
    slurm: CannedSlurm, monkeypatch: pytest.MonkeyPatch, raw: str, cluster: str, restarts: str, grants: bool
) -> None:
    key = claimed(slurm, "123", None)
    slurm.squeue = None
    slurm.in_job(raw, cluster=cluster)
    monkeypatch.setenv("SLURM_RESTART_COUNT", restarts)
    assert (open_store(slurm.store.root).claim(key) is not None) == grants


def test_no_verb_opens_the_store_in_a_way_of_its_own() -> None:
    own = [file.name for file in CLI.glob("*.py") if re.search(r"(?<![\w.])Store\(", file.read_text())]
    assert own == []


@pytest.mark.parametrize("lives", [True, False])
def test_show_retry_and_gc_judge_an_owner_in_slurm_by_squeue(slurm: CannedSlurm, lives: bool) -> None:
    key = claimed(slurm)
    slurm.store.write_plan(slurm.plan.to_json())
    slurm.squeue = ["120_3|123|RUNNING|None|"] if lives else []
    root = ["--store", str(slurm.store.root)]
    shown = CliRunner().invoke(app, ["show", key, *root])
    assert f'"state": "{"running" if lives else "lost"}"' in shown.output
    for _ in range(0 if lives else 4):  # with the first, as many as nobody tries again by himself
        claimed(slurm)
    again = CliRunner().invoke(app, ["retry", str(TINY), *root])
    assert (f"may run again: {LABEL}" in again.output) == (not lives)
    claimed(slurm, key="orphan")
    freed = CliRunner().invoke(app, ["store", "gc", str(TINY), *root])
    assert ("somebody works on orphan" in str(freed.exception)) == lives
    assert slurm.calls.count("squeue") >= 3
