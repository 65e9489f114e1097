"""Workers that a scheduler ends again and again, and what they leave."""

from __future__ import annotations

from pathlib import Path

from launch_run import TINY

from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.settings.load import load_ablation
from clpd_bench.store import Store, ledger

SETTINGS = [
    "curriculum.difficulty=student_loss:small",
    "evaluation.batch_size=4",
    "targets={batch_tokens: 600}",
]


class Impatient:
    """Asks to stop from the n-th time on that it is asked."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def __call__(self) -> bool:
        self.patience -= 1
        return self.patience < 0


def test_jobs_evicted_again_and_again_leave_the_files_of_those_that_were_not(tmp_path: Path) -> None:
    plan = build_plan(load_ablation(TINY, SETTINGS), TINY)
    (last,) = (key for key, job in plan.jobs.items() if job.label == "evaluation clpd/0 on sums")
    keys = list(plan.ancestors(last))
    whole, evicted = Store(tmp_path / "whole"), Store(tmp_path / "evicted")
    work(plan, whole, keys, lambda: False)
    workers = 0
    while not evicted.is_done(last):
        workers += 1
        assert workers < 100
        work(plan, evicted, keys, Impatient(4 + workers % 19), on_stop="evicted")
    endings: dict[str, set[ledger.Ending | None]] = {}
    for key in keys:
        job = plan.jobs[key]
        mine, reference = evicted.manifest(key), whole.manifest(key)
        assert mine
        assert reference
        assert mine["files"] == reference["files"], job.label
        found = {entry.ending for entry in ledger.entries(tmp_path / "evicted" / "attempts" / key)}
        endings.setdefault(job.kind, set()).update(found)
    assert all(endings[kind] == {"evicted", "published"} for kind in ("model", "targets", "evaluation")), endings
