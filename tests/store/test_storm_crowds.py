"""Many workers, other plans, slow ones that come back, lost answers and wrong clocks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from harbour import attempts
from storm import Fleet, Trouble, body, synthetic, work

from clpd_bench.distillation.context import Context
from clpd_bench.launch import worker
from clpd_bench.store import Store

PLAN = synthetic()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.005)


def test_eight_workers_on_one_plan_try_each_job_once(root, harbour):
    with Fleet() as fleet:
        for _ in range(8):
            fleet.start(root, Trouble(pause=0.01))
        assert fleet.wait() == [0] * 8
    assert harbour.look() == len(PLAN.jobs)
    tried = {key: len(attempts(root, key)) for key in PLAN.jobs}
    assert tried == dict.fromkeys(PLAN.jobs, 1)
    harbour.arrive()
    print(f"\neight workers on {len(PLAN.jobs)} jobs: {sum(tried.values())} attempts, losses: 0")


def test_two_plans_that_overlap_share_what_they_share_and_both_complete(root, harbour):
    left, right = synthetic((0, 1, 2, 3, 4, 5)), synthetic((0, 1, 2, 3, 4, 5, 6, 7, 9))
    with Fleet() as fleet:
        for plan in (left, right, left, right):
            fleet.start(root, Trouble(pause=0.01), plan)
        assert fleet.wait() == [0] * 4
    # Nobody left before its plan was done: the last one out of either sees it whole.
    assert harbour.look() == len(right.jobs)
    tried = [len(attempts(root, key)) for key in right.jobs]
    assert set(tried) == {1}
    harbour.arrive(left)
    both = len(left.jobs) + len(right.jobs)
    print(f"\ntwo plans of {both} jobs together, four workers: {sum(tried)} attempts, losses: 0")


def test_worker_goes_on_when_an_input_is_published_just_after_it_looked(root, harbour, monkeypatch):
    """After its look for a claim, and before its look for somebody at work."""
    looked = worker._may_go_on
    job = PLAN.jobs["key0"]
    holder = Store(root).claim("key0")

    def publish_first(*arguments):
        if not Store(root).is_done("key0"):
            body(job.spec, {}, holder.out, Context(holder.checkpoints))
            holder.publish({"details": {}})
        return looked(*arguments)

    monkeypatch.setattr(worker, "_may_go_on", publish_first)
    plan = synthetic((0, 2))
    worker.work(plan, Store(root), list(plan.jobs), lambda: False, lambda kind: body)
    assert harbour.look() == 2


def test_killed_claim_holder_is_taken_over_at_once_and_resumed(root, harbour):
    with Fleet() as fleet:
        holder = fleet.start(root, Trouble(pause=0.3))
        _until(lambda: any(root.glob("attempts/key0/1/checkpointed.json")))
        others = [fleet.start(root) for _ in range(3)]
        fleet.send(holder, signal.SIGKILL)
        assert fleet.wait(*others) == [0] * 3
    manifest = Store(root).manifest("key0")
    assert manifest["attempt"]["number"] == 2
    assert manifest["details"]["resumed_from"] > 0
    harbour.arrive()
    print("\nclaim holders killed: 1, taken over and resumed: 1, losses: 0")


def test_slow_attempt_that_lost_its_claim_and_comes_back_changes_nothing(root, harbour):
    elsewhere = Trouble(host="elsewhere", pause=0.2)
    with Fleet() as fleet:
        slow = fleet.start(root, elsewhere, heartbeat_every=0.05)
        _until(lambda: any(root.glob("attempts/key0/1/checkpointed.json")))
        fleet.send(slow, signal.SIGSTOP)
        assert work(root, dead_after=0.3) == 0
        assert harbour.look() == len(PLAN.jobs)
        fleet.send(slow, signal.SIGCONT)
        assert fleet.wait(slow) == [0]
    assert attempts(root, "key0")[-1].ending == "discarded"
    harbour.arrive()
    print("\nslow attempts that came back: 1, discarded: 1, losses: 0")


def test_lost_answers_to_renames_are_told_from_refusals(root, harbour):
    with Fleet() as fleet:
        for seed in range(4):
            fleet.start(root, Trouble(lost_answers=0.3, seed=seed, pause=0.005))
        assert fleet.wait() == [0] * 4
    assert harbour.look() == len(PLAN.jobs)
    assert {entry.failure is None for key in PLAN.jobs for entry in attempts(root, key)} == {True}
    harbour.arrive()
    lost = (root / "lost_answers").read_text().count("\n")
    assert lost > 20
    print(f"\nrenames done but answered by an error: {lost}, failed jobs: 0, losses: 0")


def test_wrong_wall_clocks_decide_nothing(root, harbour):
    with Fleet() as fleet:
        for skew in (90000, -1000, 0, 5):
            fleet.start(root, Trouble(skew=skew, host=f"host{skew}", pause=0.2), heartbeat_every=0.05, dead_after=10)
            # The first has a job of its own before the others come: one alone could have them all.
            _until(lambda: any(root.glob("attempts/*/1/heartbeat.json")))
        for file, moment in zip(root.glob("attempts/*/1/heartbeat.json"), (0, 2**31, 0, 2**31), strict=False):
            os.utime(file, (moment, moment))
        assert fleet.wait() == [0] * 4
    assert harbour.look() == len(PLAN.jobs)
    assert {len(attempts(root, key)) for key in PLAN.jobs} == {1}
    print("\nworkers with clocks up to 10 years wrong: 4, attempts a job: 1, losses: 0")
    assert len({_year(Path(root) / "artifacts" / key) for key in PLAN.jobs}) > 1, "the clocks were to differ"
    harbour.arrive()


def _year(artifact: Path) -> str:
    manifest = Store(artifact.parents[1]).manifest(artifact.name)
    assert manifest
    return manifest["created"][:4]
