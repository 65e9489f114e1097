"""Everything at once, at random, for as long as one likes: `make soak SECONDS=600`."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from harbour import Harbour, resumed
from storm import FULL, Fleet, Trouble, synthetic

from clpd_bench.store import Store

PLANS = (synthetic(), synthetic((0, 2, 3, 1, 4, 6)), synthetic((0, 1, 2, 3, 5)))


def _trouble(dice: random.Random) -> Trouble:
    kind = dice.choice(("kill", "kill", "full", "lost", "skew", "none"))
    return Trouble(
        kill_at=dice.randint(1, 120) if kind == "kill" else None,
        full_at=dice.randint(1, 120) if kind == "full" else None,
        lost_answers=0.2 if kind == "lost" else 0.0,
        skew=dice.choice((-5000, 5000)) if kind == "skew" else 0.0,
        host=dice.choice((None, None, "elsewhere")),
        pause=dice.choice((0.0, 0.01, 0.03)),
        seed=dice.randrange(10**9),
    )


def _round(root: Path, calm, dice: random.Random, counts: Counter[str]) -> None:
    """Waves of workers upon one store until the plan is done, then the look of a rerun."""
    plan, store, harbour = PLANS[0], Store(root, dead_after=0.5), Harbour(root, calm)
    while not all(store.is_done(key) for key in plan.jobs):
        counts["waves"] += 1
        with Fleet() as fleet:
            times = {"heartbeat_every": 0.1, "dead_after": 0.5}
            for _ in range(dice.randint(1, 8)):
                fleet.start(root, _trouble(dice), dice.choice(PLANS), **times)
            for _ in range(dice.randint(0, 3)):
                time.sleep(dice.random() * 0.1)
                number = dice.choice((signal.SIGKILL, signal.SIGSTOP))
                fleet.send(dice.choice(fleet.pids), number)
                counts["stops"] += number == signal.SIGSTOP
            time.sleep(0.6 if dice.random() < 0.2 else 0.0)  # long enough for a stopped one to be given up
            for pid in fleet.pids:
                fleet.send(pid, signal.SIGCONT)
            codes = fleet.wait()
        assert set(codes) <= {0, FULL, -signal.SIGKILL}, codes
        counts["workers"] += len(codes)
        counts["kills"] += codes.count(-signal.SIGKILL)
        counts["full disks"] += codes.count(FULL)
        harbour.look()
        assert "failed" not in {store.state(key) for key in plan.jobs}, "no job is to blame for any of this"
        # Killed five times before its first checkpoint: by design only when asked.
        counts["retries"] += sum(store.retry(key) for key in plan.jobs)
    harbour.arrive()
    counts["stores"] += 1
    counts["artifacts"] += len(plan.jobs)
    counts["jobs resumed"] += resumed(root, plan)


@pytest.mark.soak
def test_random_storm_loses_nothing(tmp_path, calm):
    seconds, seed = float(os.environ.get("CLPD_SOAK_SECONDS", "120")), int(os.environ.get("CLPD_SOAK_SEED", "0"))
    dice, counts, end = random.Random(seed), Counter[str](), time.monotonic() + seconds
    while time.monotonic() < end:
        _round(tmp_path / str(counts["stores"]), calm, dice, counts)
    print(f"\nsoak of {seconds:g} s, seed {seed}:", ", ".join(f"{n} {what}" for what, n in counts.items()), "losses: 0")
    assert counts["kills"]
