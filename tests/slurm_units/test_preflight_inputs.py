"""Files that jobs will read are there, as they were planned, or it is told before anything is submitted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.slurm.preflight.files import check_inputs
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text("def hard(example):\n    return 1.0\n\n\ndef loss(logits, labels, targets):\n    return logits\n")
    return file


def planned(folder: Path, old: str, new: str) -> Plan:
    text = SMALL.read_text()
    assert text.count(old) == 1
    file = folder / "a.yaml"
    file.write_text(text.replace(old, new))
    return build_plan(load_ablation(file), file)


@pytest.mark.parametrize(
    "plugged",
    [("difficulty: cot_tokens", "difficulty: mine.py:hard"), ("loss: {name: forward_kl", "loss: {name: mine.py:loss")],
)
def test_a_plug_in_that_changed_or_went_is_fatal(tmp_path: Path, plugin: Path, plugged: tuple[str, str]) -> None:
    plan = planned(tmp_path, *plugged)
    assert check_inputs(plan, set(plan.jobs)) == []
    plugin.write_text(plugin.read_text() + "\n")
    (changed,) = check_inputs(plan, set(plan.jobs))
    assert (changed.level, f"{plugin} has changed" in changed.what) == ("fatal", True)
    plugin.unlink()
    (gone,) = check_inputs(plan, set(plan.jobs))
    assert (gone.level, "cannot be read: No such file" in gone.what) == ("fatal", True)


def test_a_plug_in_of_jobs_that_are_done_is_not_asked_for(tmp_path: Path, plugin: Path) -> None:
    plan = planned(tmp_path, "difficulty: cot_tokens", "difficulty: mine.py:hard")
    plugin.unlink()
    assert check_inputs(plan, {key for key, job in plan.jobs.items() if job.kind != "difficulty"}) == []


def test_a_corpus_that_is_to_be_made_needs_its_texts(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"question": name, "answer": "1"}) + "\n")
    text = SMALL.read_text()
    start = text.index("source: {name: chained_sums")
    old = text[start : text.index("}", start) + 1]
    plan = planned(tmp_path, old, "source: {name: jsonl, train: train.jsonl, test: test.jsonl, rationale: why}")
    corpora = {key for key, job in plan.jobs.items() if job.kind == "corpus"}
    assert check_inputs(plan, corpora) == []
    (tmp_path / "test.jsonl").unlink()
    (finding,) = check_inputs(plan, corpora)
    assert (finding.level, "test.jsonl cannot be read" in finding.what) == ("fatal", True)
    assert check_inputs(plan, set(plan.jobs) - corpora) == []
