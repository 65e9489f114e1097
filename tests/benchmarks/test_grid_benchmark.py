"""benchmarks/grid.py on a few rows: both sides do the same work, and all of it is counted."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not os.environ.get("CLPD_DATA"), reason="CLPD_DATA names no folder with gsm8k"),
    pytest.mark.skipif(
        not find_spec("trl"), reason="trl is not installed: pip install -c constraints.txt -e '.[benchmarks]'"
    ),
]
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from grid.both import SHRUNK, one_round  # noqa: E402
from grid.given import schedule_of  # noqa: E402
from grid.ours import name_of, plan_of  # noqa: E402
from grid.tables import tables  # noqa: E402

from clpd_bench.store import Store  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round")


@pytest.fixture(scope="module")
def sides(folder: Path) -> dict[str, dict[str, Any]]:
    return one_round(folder, SHRUNK)


def test_both_sides_show_the_same_presentations_in_the_same_order(
    sides: dict[str, dict[str, Any]], folder: Path
) -> None:
    store, plan = Store(folder / "store"), plan_of(folder / "store")
    shown = sides["peers"]["shown"]
    for job in plan.jobs.values():
        manifest = store.manifest(job.key)
        assert manifest is not None
        if "consumed" not in manifest["details"]:
            continue
        schedule = schedule_of(job, store)
        assert schedule.consumed_hash() == manifest["details"]["consumed"]  # our own student went by this one
        planned = [sorted(schedule.ids[examples].tolist()) for _, examples, _ in schedule.batches()]
        assert [ids for ids, _ in shown.pop(name_of(job))] == planned
    assert not shown


def test_both_sides_ask_teachers_alike_and_reach_the_same_models(sides: dict[str, dict[str, Any]]) -> None:
    ours, peers = sides["ours"]["response_loss"], sides["peers"]["response_loss"]
    assert peers.keys() == ours.keys()
    for model, splits in ours.items():
        assert peers[model].keys() == splits.keys()
        for split, losses in splits.items():
            assert peers[model][split] == pytest.approx(losses, abs=1e-4), (model, split)


def test_both_sides_generate_as_much(sides: dict[str, dict[str, Any]]) -> None:
    assert sides["ours"]["generated"]["tokens"] > 0
    assert sides["ours"]["generated"] == sides["peers"]["generated"]


def test_the_parts_of_a_side_are_all_of_its_processor_time(sides: dict[str, dict[str, Any]]) -> None:
    for side in sides.values():
        assert sum(side["parts"].values()) == pytest.approx(side["seconds"])
        assert min(side["parts"].values()) >= 0
    for name in ("students", "targets", "teachers: training", "evaluation"):
        assert sides["ours"]["parts"][name] > 0.1


def test_ratios_are_the_peers_time_over_ours_in_each_round() -> None:
    def side(seconds: float, start_up: float) -> dict[str, Any]:
        losses = {"sft/0": {"test": {"a": 1.0}}}
        generated = {"tokens": 1, "steps": 1}
        parts = {"start-up": start_up, "students": seconds - start_up}
        return {
            "seconds": seconds,
            "start_up": start_up,
            "parts": parts,
            "response_loss": losses,
            "generated": generated,
        }

    text = tables([{"ours": side(2, 1), "peers": side(8, 2)}, {"ours": side(4, 1), "peers": side(8, 2)}])
    assert "| whole grid | 3.0 | 8.0 | 3.00 | 4.00, 2.00 |" in text
    assert "| without start-up | 2.0 | 6.0 | 4.00 | 6.00, 2.00 |" in text
