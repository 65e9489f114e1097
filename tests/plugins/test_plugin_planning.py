"""Plug-ins on data: the difficulty job, and the schedules that planning counts once there is a corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.distillation.context import Context
from clpd_bench.errors import PluginError, UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.jobs.difficulty import run
from clpd_bench.launch.prepare import check_data, make_data
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.specs import DifficultySpec
from clpd_bench.store import Store

SEES_ALL = """

def rare_digits(example, *, floor):
    if sorted(example) != ["answer", "columns", "prompt", "question", "rationale", "rationale_tokens", "response"]:
        raise ValueError(sorted(example))
    left, right = example["question"].rstrip("?").split("<")
    if example["columns"] != {"distance": abs(int(left) - int(right))}:
        raise ValueError(example["columns"])
    return floor * example["rationale_tokens"]
"""


def prepared(example: Path) -> tuple[Ablation, Plan, Store]:
    """With its corpus and its difficulty made."""
    ablation = load_ablation(example, ["corpora.comparisons.source.train=60"])
    plan, store = build_plan(ablation, example), Store(example.parent / "store")
    make_data(plan, store)
    return ablation, plan, store


def test_a_difficulty_sees_the_text_the_tokens_and_the_columns_of_an_example(example: Path, tmp_path: Path) -> None:
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + SEES_ALL)
    _, plan, store = prepared(example)
    data = plan.arm_data["clpd"]
    lengths = read_split(store.artifact(data["corpus"]), "test").numbers("rationale_tokens")
    np.testing.assert_array_equal(read_difficulty(store.artifact(data["difficulty"]), "test"), 5 * lengths)


def test_a_job_refuses_a_file_that_has_changed_and_values_that_are_no_numbers(example: Path, tmp_path: Path) -> None:
    _, plan, store = prepared(example)
    job = plan.jobs[plan.arm_data["clpd"]["difficulty"]]
    assert isinstance(job.spec, DifficultySpec)
    inputs = {"corpus": store.artifact(job.parents["corpus"])}
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + "\n\ndef rare_digits(example, *, floor):\n    return float('nan')\n")
    with pytest.raises(UserError, match="has changed since it was planned"):
        run(job.spec, inputs, tmp_path, Context(tmp_path))
    again = build_plan(load_ablation(example), example)
    spec = again.jobs[again.arm_data["clpd"]["difficulty"]].spec
    assert isinstance(spec, DifficultySpec)
    with pytest.raises(PluginError, match=r"mine\.py in rare_digits: returned nan, and must return a finite number"):
        run(spec, inputs, tmp_path, Context(tmp_path))


def test_exposure_is_counted_by_the_users_pacing_and_teachers(example: Path) -> None:
    exposures = check_data(*prepared(example))
    by_stage: dict[int, set[int]] = {}
    for _, stage, teacher in exposures["late"].presentations:
        by_stage.setdefault(stage, set()).add(teacher)
    assert by_stage == {1: {0}, 2: {1}, 3: {2}}
    first = {b: n for (b, k, _), n in exposures["clpd"].presentations.items() if k == 1}
    assert first[1] > 4 * first[2] > 4 * first[3] > 0
    assert sum(exposures["clpd"].presentations.values()) == 4 * 60


def test_an_error_while_exposure_is_counted_is_told_with_the_users_line(example: Path) -> None:
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + "\n\ndef fading(stages, *, reach):\n    return 1 / 0\n")
    line = len(mine.read_text().split("\n")) - 1
    with pytest.raises(UserError, match=rf"example\.yaml: .*mine\.py:{line} in fading: ZeroDivisionError"):
        check_data(*prepared(example))


def test_an_error_of_a_corpus_is_told_with_the_users_line(example: Path) -> None:
    ablation = load_ablation(example, ["corpora.comparisons.source.train=9999"])
    with pytest.raises(UserError, match=r"comparisons failed: PluginError: .*mine\.py:\d+ in comparisons: Value"):
        make_data(build_plan(ablation, example), Store(example.parent / "store"))
