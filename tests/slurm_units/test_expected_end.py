"""When all will be done: list scheduling, and from what it is computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from canned_slurm import CannedSlurm

from clpd_bench.launch.slurm.view import Observer
from clpd_bench.launch.watch.hours import Unit, hours_of, makespan


def units(**of: float | tuple[float, str]) -> dict[object, Unit]:
    return {
        name: Unit(value) if isinstance(value, (int, float)) else Unit(value[0], frozenset(value[1].split()))
        for name, value in of.items()
    }


@pytest.mark.parametrize(
    ("given", "slots", "end"),
    [
        (units(), 1, 0),
        (units(a=3, b=5), 1, 8),
        (units(a=3, b=5), 2, 5),
        (units(a=3, b=5, c=2), 2, 5),
        (units(a=3, b=(5, "a")), 2, 8),
        (units(a=3, b=(5, "a"), c=9), 2, 9),
        (units(a=2, b=2, c=(1, "a b"), d=(4, "c"), e=(4, "c")), 2, 7),
        (units(a=2, b=2, c=(1, "a b"), d=(4, "c"), e=(4, "c")), 1, 13),
        # The order given decides, not the shortest end: a long one last costs.
        (units(a=1, b=1, c=4), 2, 5),
        (units(c=4, a=1, b=1), 2, 4),
    ],
)
def test_end_is_that_of_list_scheduling(given: dict[object, Unit], slots: int, end: float) -> None:
    assert makespan(given, slots) == end


def test_units_in_a_circle_have_no_end() -> None:
    assert makespan(units(a=(1, "b"), b=(1, "a")), 1) is None


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CannedSlurm:
    """Both seeds' initial weights and sft students and evaluations are left; the first took 100 s each."""
    canned = CannedSlurm(tmp_path, monkeypatch)
    for label in ("initial weights/0", "student sft/0", "evaluation sft/0 on sums"):
        canned.publish(label, 100.0)
    canned.launch([["initial weights/1"]], [["student sft/1"], ["evaluation sft/1 on sums"]])
    return canned


def test_end_goes_by_slurms_tasks_and_what_waits_for_what_by_a_canned_squeue(slurm: CannedSlurm) -> None:
    running = "1|1|RUNNING|None|clpd:LAUNCH/0"
    slurm.squeue = [running, "2_0|2|PENDING|Dependency|clpd:LAUNCH/1", "2_1|3|PENDING|Dependency|clpd:LAUNCH/1"]
    found = hours_of(Observer(slurm.plan, slurm.store.root).look())
    assert (found.end, found.slots) == (300.0, 1)
    assert found.used == 300.0
    # What is in no task is not waited for.
    slurm.squeue = [running]
    assert hours_of(Observer(slurm.plan, slurm.store.root).look()).end == 100.0


def test_end_is_not_told_where_something_has_no_estimate_or_nothing_runs(slurm: CannedSlurm) -> None:
    slurm.squeue = ["1|1|PENDING|Priority|clpd:LAUNCH/0"]
    assert hours_of(Observer(slurm.plan, slurm.store.root).look()).end is None
    other = slurm.launch([["model large"]])
    slurm.squeue = ["1|1|RUNNING|None|clpd:LAUNCH/0", f"5|5|RUNNING|None|clpd:{other.id}/0"]
    found = hours_of(Observer(slurm.plan, slurm.store.root).look())
    assert found.end is None
    assert found.unknown > 0
    assert f"{found.unknown} jobs of which nothing alike has finished" in found.text()
