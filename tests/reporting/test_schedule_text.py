"""The terminal's picture is of the very schedule that the job builds, fits 80 columns, and is ASCII in pipes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.cli.plan_schedule import ASCII, BLOCKS, ramp_of, schedule_of, schedule_text, windows
from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import make_data
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.results.schedules import ArmSchedule
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """With the corpora of small.yaml."""
    made = Store(tmp_path_factory.mktemp("schedules") / "store")
    make_data(opened()[1], made)
    return made


def opened(*sets: str) -> tuple[Ablation, Plan]:
    ablation = load_ablation(SMALL, list(sets))
    return ablation, build_plan(ablation, SMALL)


def drawn(store: Store, arm: str, *sets: str) -> ArmSchedule:
    return schedule_of(*opened(*sets), store, arm)


def jobs_schedule(store: Store, plan: Plan, arm: str) -> tuple[Schedule, Any]:
    """As the body of the model job builds it, from the job's own spec and inputs."""
    job = plan.jobs[next(cell.model for cell in plan.cells if cell.name == arm)]
    assert isinstance(job.spec, ModelSpec)
    assert job.spec.training
    assert job.spec.supervision
    split = read_split(store.artifact(job.parents["corpus"]), "train")
    ranks = job.parents.get("difficulty")
    difficulty = read_difficulty(store.artifact(ranks), "train") if ranks else None
    made = build_schedule(
        split.ids, split.tokens, difficulty, job.spec.supervision, job.spec.training, Streams.of(job.spec)
    )
    return made, split


def rows(text: str) -> dict[str, str]:
    return {line[:11].strip(): line[12:].replace("|", "") for line in text.split("\n") if "|" in line}


@pytest.mark.parametrize("arm", ["sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd"])
def test_what_is_drawn_is_what_the_job_will_consume(store: Store, arm: str) -> None:
    _, plan = opened()
    expected, split = jobs_schedule(store, plan, arm)
    one = drawn(store, arm)
    assert one.schedule.consumed_hash() == expected.consumed_hash()
    key = plan.arm_data[arm]["difficulty"]
    buckets = difficulty_buckets(split.ids, read_difficulty(store.artifact(key), "train"), split.tokens, 2)
    shown = windows(one, expected.steps)
    assert [(w.first, w.last) for w in shown] == [(s, s) for s in range(1, expected.steps + 1)]
    for (_, examples, teachers), window in zip(expected.batches(), shown, strict=True):
        tokens = split.tokens[examples]
        easy = tokens[buckets[examples] == 1].sum() / tokens.sum()
        assert window.buckets == pytest.approx({1: easy, 2: 1 - easy})
        names = {1: "small", 2: "large"} if len(one.teachers) == 2 else one.teachers
        present = {name for name, share in window.teachers.items() if share}
        assert present == {names[int(t)] for t in np.unique(teachers)}


def test_a_full_curriculum_is_drawn_as_one_bucket_and_one_teacher_a_stage(store: Store) -> None:
    one = drawn(store, "clpd", "curriculum.pacing.strength=1", "student.training.steps=4")
    table = rows(schedule_text("clpd", one, ASCII))
    half = len(table["small"]) // 2
    assert table["small"] == "#" * half + "." * half
    assert table["large"] == "." * half + "#" * half
    # The border of two buckets may lie inside the example that crosses the border of two steps.
    assert set(table["1 easiest"][: half // 2]) == set(table["2 hardest"][-half // 2 :]) == {"#"}
    assert set(table["1 easiest"][-half // 2 :]) == set(table["2 hardest"][: half // 2]) == {"."}


def test_no_window_lies_across_two_stages(store: Store) -> None:
    one = drawn(store, "teacher_scheduling", "curriculum.stages=5", "student.training.steps=37")
    for columns in (1, 4, 5, 9, 30, 37, 100):
        shown = windows(one, columns)
        assert [w.first for w in shown] == [1, *(w.last + 1 for w in shown[:-1])]
        assert shown[-1].last == 37
        for w in shown:
            span = one.spans[w.stage - 1]
            assert span.first <= w.first <= w.last <= span.last
            assert sum(w.buckets.values()) == pytest.approx(1)
            assert sum(w.teachers.values()) == pytest.approx(1)


@pytest.mark.parametrize("stages", [2, 3, 7, 12])
@pytest.mark.parametrize("steps", [12, 61, 80])
def test_a_picture_fits_80_columns_marks_every_stage_and_is_ascii(store: Store, stages: int, steps: int) -> None:
    one = drawn(store, "teacher_scheduling", f"curriculum.stages={stages}", f"student.training.steps={steps}")
    for ramp in (ASCII, BLOCKS):
        text = schedule_text("an_arm_whose_name_is_longer_than_anybody_would_like_it", one, ramp)
        lines = text.split("\n")
        assert max(map(len, lines)) <= 80
        assert len({len(line) for line in lines if "|" in line}) == 1
        assert all(line.count("|") == stages + 1 for line in lines if "|" in line)
        assert text.isascii() == (ramp is ASCII)


def test_stages_are_marked_where_they_begin(store: Store) -> None:
    lines = schedule_text("clpd", drawn(store, "clpd", "curriculum.stages=3"), ASCII).split("\n")
    picture = next(line for line in lines if "|" in line)
    borders = [i for i, c in enumerate(picture) if c == "|"][:-1]
    for name, marks in (("stage", "123"), ("from step", "135")):
        line = next(line for line in lines if line.startswith(name))
        assert [line[i + 1] for i in borders] == list(marks)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("encoding", "ramp"), [("utf-8", BLOCKS), ("ascii", ASCII), ("latin-1", ASCII)])
def test_blocks_are_for_terminals_that_can_show_them(encoding: str, ramp: str) -> None:
    assert ramp_of(Terminal(io.BytesIO(), encoding=encoding)) == ramp
    assert ramp_of(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) == ASCII


def clpd(store: Store, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["plan", str(SMALL), "--store", str(store.root), *arguments])


def test_without_the_corpus_the_error_names_the_option(tmp_path: Path) -> None:
    result = clpd(Store(tmp_path / "s"), "--schedule", "clpd")
    assert isinstance(result.exception, UserError)
    assert f"clpd plan {SMALL} --corpus --schedule clpd" in str(result.exception)
    assert result.stdout == ""


def test_an_unknown_arm_is_refused_before_any_corpus_is_made(tmp_path: Path) -> None:
    result = clpd(Store(tmp_path / "s"), "--corpus", "--schedule", "cldp")
    assert "Did you mean 'clpd'?" in str(result.exception)
    assert not (tmp_path / "s").exists()


def test_json_holds_every_step(store: Store) -> None:
    found = json.loads(clpd(store, "--schedule", "clpd", "--json").stdout)
    assert [(step["first"], step["stage"]) for step in found["steps"]] == [(s, 1 + (s > 3)) for s in range(1, 7)]
    assert found["steps"][0]["teachers"] == {"small": 1.0, "large": 0.0}


def test_drawing_loads_nothing_heavy(store: Store) -> None:
    program = (
        "import sys\nfrom clpd_bench.cli.app import main\nmain.__globals__['app'](standalone_mode=False)\n"
        "print('loaded:', *{name.split('.')[0] for name in sys.modules})"
    )
    arguments = ["plan", str(SMALL), "--store", str(store.root), "--schedule", "clpd"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    picture, loaded = done.stdout.split("loaded:")
    assert "easiest" in picture
    assert set(loaded.split()).isdisjoint({"torch", "transformers", "pandas", "matplotlib", "scipy", "datasets"})
