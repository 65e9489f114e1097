"""Workers that are killed: whatever the moment, nothing is lost that was published, and a rerun completes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from harbour import Harbour, resumed
from storm import Trouble, synthetic, work

KILLED = -signal.SIGKILL


def _kill_at_each(tmp_path: Path, calm, jobs: int, stride: int) -> tuple[int, int]:
    kills, went_on, code = 0, 0, KILLED
    while code == KILLED:
        root, plan = tmp_path / str(kills), synthetic((0, 2) if jobs == 2 else range(jobs))
        code = work(root, Trouble(kill_at=1 + kills * stride), plan)
        kills += code == KILLED
        harbour = Harbour(root, calm)
        harbour.look()
        harbour.arrive(plan)
        went_on += resumed(root, plan)
    assert code == 0
    assert went_on, "some job was to go on from a killed attempt's checkpoint"
    print(f"\n{jobs} jobs killed before every {stride}. write: {kills} kills, {went_on} jobs resumed, losses: 0")
    return kills, went_on


def test_worker_killed_at_every_write_boundary_loses_nothing(tmp_path, calm):
    kills, _ = _kill_at_each(tmp_path, calm, 2, 1)
    assert kills > 80


def test_worker_killed_anywhere_in_ten_jobs_loses_nothing(tmp_path, calm):
    kills, _ = _kill_at_each(tmp_path, calm, 10, 23)
    assert kills > 18


@pytest.mark.soak
def test_worker_killed_at_every_write_boundary_of_ten_jobs_loses_nothing(tmp_path, calm):
    kills, _ = _kill_at_each(tmp_path, calm, 10, 1)
    assert kills > 400


def test_one_store_killed_again_and_again_arrives(root, harbour):
    """Each run is killed a little later than the one before; what it did is kept by the next."""
    kills, before = 0, 0
    while work(root, Trouble(kill_at=60 + kills)) == KILLED:
        kills += 1
        published = harbour.look()
        assert published >= before
        before = published
    harbour.arrive()
    print(f"\none store killed again and again: {kills} kills, losses: 0")
    assert kills > 5
