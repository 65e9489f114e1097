"""The model of the best look is the result, early stopping ends the run, and no interruption changes either."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_kept_steps import weights
from test_kept_when_diverged import diverge_at
from test_training_jobs import SHUFFLED, SMALL, TRAINING, corpus, do
from test_training_loop import record_steps

from clpd_bench.distillation import validation
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.jobs import model as job
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import ModelSpec

STEPS = 6
BEST = {"name": "best_validation", "metric": "response_loss", "every": 1}
EARLY = {"metric": "response_loss", "every": 1, "patience": 2}
MIDDLE = [9.0, 5.0, 3.0, 4.0, 3.0, 3.5, 3.25]
"""Losses of the looks at steps 0 to 6: step 2 is the best, and so is step 4, later."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"corpus": corpus(tmp_path_factory.mktemp("choice") / "corpus")}


@pytest.fixture(scope="module")
def every_step(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """The weights after each step of the run, whatever is chosen of it."""
    out = tmp_path_factory.mktemp("all") / "out"
    do("model", spec(keep_steps=range(1, STEPS + 1)), inputs, out)
    return {step: weights(out / "steps" / str(step)) for step in range(1, STEPS + 1)}


def spec(on_divergence: str = "fail", **fields: Any) -> ModelSpec:
    training = Training.model_validate({**TRAINING.model_dump(), "checkpoint_seconds": 1e9, **fields})
    fields = {"on_divergence": on_divergence}
    return ModelSpec(architecture=SMALL, training=training, supervision=SHUFFLED, seed=0, **fields)


def see(losses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at step n sees the n-th of these, whichever attempt takes it."""

    def scripted(model: object, split: object, training: object, step: int, *_: object) -> dict[str, float]:
        return {"step": float(step), "response_loss": losses[step], "sequence_accuracy": 1 / (1 + losses[step])}

    monkeypatch.setattr(validation, "validation_scores", scripted)
    monkeypatch.setattr(job, "validation_scores", scripted)


def record(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "training.json").read_text()))


@pytest.mark.parametrize(
    ("losses", "every", "chosen"),
    [
        (MIDDLE, 1, 2),  # of equals the earliest
        (MIDDLE, 4, 6),  # looks at 4 and, its end, 6
        ([9.0, 5.0, 4.0, 3.0, 2.0, 2.0, 1.0], 1, 6),
        ([0.5, 5.0, 4.0, 3.0, 2.0, 3.0, 4.0], 1, 4),  # the start is nobody's result
    ],
)
def test_the_model_saved_is_that_of_the_best_look(
    inputs: dict[str, Path],
    every_step: dict[int, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    losses: list[float],
    every: int,
    chosen: int,
) -> None:
    losses = [*losses[:4], 3.5, *losses[5:]] if every == 4 else losses
    see(losses, monkeypatch)
    out = tmp_path / "out"
    measured = do("model", spec(checkpoint={**BEST, "every": every}), inputs, out)
    assert weights(out) == every_step[chosen]
    assert measured.details["chosen"] == record(out)["chosen"]
    assert measured.details["chosen"]["step"] == chosen
    assert measured.details["chosen"]["response_loss"] == losses[chosen]
    assert measured.details["validation"]["step"] == measured.details["steps"] == STEPS
    assert not (out / "hashes.json").exists()


def test_where_the_last_look_is_the_best_nothing_else_differs_from_last(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the real losses, which fall: looking and keeping change no bit of the run."""
    do("model", spec(), inputs, tmp_path / "last")
    do("model", spec(checkpoint={**BEST, "every": STEPS}), inputs, tmp_path / "best")
    assert weights(tmp_path / "best") == weights(tmp_path / "last")
    assert {k: v for k, v in record(tmp_path / "best").items() if k != "chosen"} == record(tmp_path / "last")


def test_early_stopping_ends_the_run_and_the_last_weights_stand(
    inputs: dict[str, Path], every_step: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the learning rate of the whole run."""
    see(MIDDLE, monkeypatch)
    rates = record_steps(monkeypatch)
    measured = do("model", spec(early_stopping=EARLY), inputs, tmp_path / "out")
    assert measured.details["steps"] == 4 == len(record(tmp_path / "out")["loss"])
    assert measured.details["stopped_early"] == record(tmp_path / "out")["stopped_early"]
    assert measured.details["stopped_early"].startswith("stopped early, after step 4: of the last 2 checks")
    assert "chosen" not in measured.details
    assert weights(tmp_path / "out") == every_step[4]
    assert [rate for rate, _ in rates] == [TRAINING.learning_rate_at(step, STEPS) for step in range(1, 5)]
    said = record(tmp_path / "out")
    assert said["consumed"] == said["scheduled"]


def test_both_together_save_the_best_of_the_looks_before_the_stop(
    inputs: dict[str, Path], every_step: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see([9.0, 5.0, 3.0, 4.0, 3.5, 1.0, 1.0], monkeypatch)
    measured = do("model", spec(checkpoint=BEST, early_stopping=EARLY), inputs, tmp_path / "out")
    assert (measured.details["steps"], measured.details["chosen"]["step"]) == (4, 2)
    assert weights(tmp_path / "out") == every_step[2]


def test_a_run_that_lasts_to_its_end_was_not_stopped(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its patience ends with its last step."""
    see([9.0, 5.0, 4.0, 3.0, 2.0, 2.0, 2.0], monkeypatch)
    assert "stopped_early" not in do("model", spec(early_stopping=EARLY), inputs, tmp_path / "out").details


def test_a_step_to_be_kept_behind_the_stop_is_an_error(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(MIDDLE, monkeypatch)
    message = "stopped after step 4, and step 5 was to be kept.*leave `early_stopping` out"
    with pytest.raises(UserError, match=message):
        do("model", spec(early_stopping=EARLY, keep_steps=(2, 5)), inputs, tmp_path / "out")


class Killed(Exception):
    """As a kill would: no checkpoint is left behind."""


def attempt(settings: ModelSpec, inputs: dict[str, Path], out: Path, end: tuple[str, int], earlier: list[Path]) -> None:
    """Up to a step, where it is told to leave or is killed."""
    how, last = end
    now = [0]

    def progress(done: int, of: int) -> None:
        now[0] = done
        if how == "killed" and done == last:
            raise Killed

    with pytest.raises((Interrupted, Killed)):
        do("model", settings, inputs, out, earlier=earlier, should_stop=lambda: now[0] == last, progress=progress)


def same(a: Path, b: Path) -> bool:
    files = [{f.relative_to(d): f.read_bytes() for f in d.rglob("*") if f.is_file()} for d in (a, b)]
    return files[0] == files[1]


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_a_run_that_was_interrupted_twice_leaves_the_same_files(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Told to leave before, at and after its best look, step 2, and killed later on: with a checkpoint after each step
    and with none but that of leaving."""
    see(MIDDLE, monkeypatch)
    settings = spec(checkpoint=BEST, keep_steps=(1, 3), checkpoint_seconds=seconds)
    do("model", settings, inputs, tmp_path / "whole")
    for first, later in ((1, (2, 3, STEPS)), (2, (3, STEPS)), (4, (STEPS,))):
        left = tmp_path / f"{first}-checkpoints"
        attempt(settings, inputs, tmp_path / f"{first}", ("told", first), [])
        for second in later:
            killed, third = tmp_path / f"{first}-{second}", tmp_path / f"{first}-{second}-third"
            attempt(settings, inputs, killed, ("killed", second), [left])
            do("model", settings, inputs, third, earlier=[killed.with_name(f"{killed.name}-checkpoints"), left])
            assert same(third, tmp_path / "whole"), (first, second)


def test_a_best_model_that_is_gone_is_trained_for_again(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(MIDDLE, monkeypatch)
    settings = spec(checkpoint=BEST, checkpoint_seconds=0.0)
    do("model", settings, inputs, tmp_path / "whole")
    attempt(settings, inputs, tmp_path / "first", ("told", 5), [])
    shutil.rmtree(tmp_path / "first-checkpoints" / "kept-2")
    do("model", settings, inputs, tmp_path / "second", earlier=[tmp_path / "first-checkpoints"])
    assert same(tmp_path / "second", tmp_path / "whole")


def test_an_attempt_taken_for_dead_may_drop_what_another_goes_on_with(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best model is brought into the new attempt's own folder before its first step."""
    see(MIDDLE, monkeypatch)
    settings, first = spec(checkpoint=BEST), tmp_path / "first-checkpoints"
    do("model", settings, inputs, tmp_path / "whole")
    attempt(settings, inputs, tmp_path / "first", ("told", 4), [])

    def gone(done: int, of: int) -> None:
        shutil.rmtree(first, ignore_errors=True)

    do("model", settings, inputs, tmp_path / "second", earlier=[first], progress=gone)
    assert same(tmp_path / "second", tmp_path / "whole")


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_models_that_were_beaten_do_not_pile_up(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """But what `keep_steps` asked for stays."""
    see([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0], monkeypatch)
    settings, most = spec(checkpoint=BEST, keep_steps=(2,), checkpoint_seconds=seconds), []
    folder = tmp_path / "out-checkpoints"
    do("model", settings, inputs, tmp_path / "out", progress=lambda *_: most.append(len(list(folder.glob("kept-*")))))
    assert max(most) <= 3
    names = {place.name for place in folder.glob("kept-*")}
    assert {"kept-2", "kept-6"} <= names
    assert len(names) <= 3


def test_of_a_run_that_diverged_the_best_look_up_to_there_is_chosen(
    inputs: dict[str, Path], every_step: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(MIDDLE, monkeypatch)
    diverge_at(4, monkeypatch)
    measured = do("model", spec("keep_last", checkpoint=BEST, early_stopping=EARLY), inputs, tmp_path / "out")
    assert (measured.details["steps"], measured.details["chosen"]["step"]) == (3, 2)
    assert "stopped_early" not in measured.details
    assert weights(tmp_path / "out") == every_step[2]


def test_the_newest_checkpoint_can_be_gone_on_from_though_its_best_look_was_beaten_since(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(MIDDLE, monkeypatch)
    settings, out, told = spec(checkpoint=BEST), tmp_path / "out", []
    attempt(settings, inputs, out, ("told", 1), [])
    attempt(settings, inputs, out, ("killed", 4), [])
    do("model", settings, inputs, out, progress=lambda done, of: told.append(done))
    assert told[0] == 2
