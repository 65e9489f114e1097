"""Models of `keep_steps`: there at the end, as they were at their step, however often the run was interrupted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from test_training_jobs import SHUFFLED, SMALL, TRAINING, corpus, do
from tiny import TOKENS, tiny_model
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.checkpoints import Checkpoint, KeptModels
from clpd_bench.distillation.models import load_model
from clpd_bench.distillation.validation import ValidationChecks
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.settings.parts.training import Stop, Training
from clpd_bench.settings.specs import ModelSpec


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"corpus": corpus(tmp_path_factory.mktemp("steps") / "corpus")}


def spec(*keep: int, **fields: Any) -> ModelSpec:
    training = Training.model_validate({**TRAINING.model_dump(), "keep_steps": keep, **fields})
    return ModelSpec(architecture=SMALL, training=training, supervision=SHUFFLED, seed=0)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def attempt(settings: ModelSpec, inputs: dict[str, Path], out: Path, stop_at: int, earlier: list[Path]) -> None:
    told: list[int] = []
    with pytest.raises(Interrupted):
        do(
            "model",
            settings,
            inputs,
            out,
            earlier=earlier,
            should_stop=lambda: bool(told) and told[-1] == stop_at,
            progress=lambda done, of: told.append(done),
        )


@pytest.fixture(scope="module")
def whole(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    do("model", spec(2, 4, 6), inputs, out)
    return out


def test_kept_models_are_those_of_their_steps_and_load_anywhere(inputs: dict[str, Path], whole: Path) -> None:
    assert sorted(folder.name for folder in (whole / "steps").iterdir()) == ["2", "4", "6"]
    assert weights(whole / "steps" / "6") == weights(whole)
    assert len({weights(whole / "steps" / str(n)) for n in (2, 4, 6)}) == 3
    load_model(whole / "steps" / "2")
    tokenizer = AutoTokenizer.from_pretrained(str(whole / "steps" / "2"))
    assert tokenizer.get_vocab() == AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer")).get_vocab()
    names = {file.name for file in (whole / "steps" / "2").iterdir()}
    assert names == {file.name for file in whole.iterdir()} - {"steps", "training.json"}


def test_they_change_nothing_of_the_run(inputs: dict[str, Path], whole: Path, tmp_path: Path) -> None:
    do("model", spec(), inputs, tmp_path / "plain")
    assert not (tmp_path / "plain" / "steps").exists()
    for name in ("model.safetensors", "training.json"):
        assert (tmp_path / "plain" / name).read_bytes() == (whole / name).read_bytes()


def same_steps(a: Path, b: Path) -> bool:
    files = [{f.relative_to(d): f.read_bytes() for f in (d / "steps").rglob("*") if f.is_file()} for d in (a, b)]
    return len(files[0]) > 0 and files[0] == files[1]


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5])
def test_they_survive_interruptions(inputs: dict[str, Path], whole: Path, tmp_path: Path, stop_at: int) -> None:
    attempt(spec(2, 4, 6), inputs, tmp_path / "first", stop_at, [])
    do("model", spec(2, 4, 6), inputs, tmp_path / "second", earlier=[tmp_path / "first-checkpoints"])
    assert same_steps(tmp_path / "second", whole)
    assert weights(tmp_path / "second") == weights(whole)


def test_they_are_gathered_from_several_attempts(inputs: dict[str, Path], whole: Path, tmp_path: Path) -> None:
    folders: list[Path] = []
    for stop_at in (3, 5):
        out = tmp_path / f"stopped-{stop_at}"
        attempt(spec(2, 4, 6), inputs, out, stop_at, folders)
        folders = [out.with_name(f"{out.name}-checkpoints"), *folders]
    do("model", spec(2, 4, 6), inputs, tmp_path / "last", earlier=folders)
    assert same_steps(tmp_path / "last", whole)


@pytest.mark.parametrize("fault", ["gone", "cut", "unsealed"])
def test_one_that_is_lost_is_trained_for_again(
    inputs: dict[str, Path], whole: Path, tmp_path: Path, fault: str
) -> None:
    """The checkpoint behind it is not gone on from, as nothing would come by that step any more."""
    attempt(spec(2, 4, 6), inputs, tmp_path / "first", 5, [])
    place = tmp_path / "first-checkpoints" / "kept-4"
    if fault == "gone":
        shutil.rmtree(place)
    elif fault == "cut":
        (place / "model.safetensors").write_bytes(weights(place)[:-1])
    else:
        (place / "hashes.json").unlink()
    do("model", spec(2, 4, 6), inputs, tmp_path / "second", earlier=[tmp_path / "first-checkpoints"])
    assert same_steps(tmp_path / "second", whole)


def test_a_checkpoint_whose_own_kept_model_is_gone_is_not_gone_on_from(split: Split, tmp_path: Path) -> None:
    """A run that goes on from step 4 starts with step 5, and would never keep the model of step 4."""
    training = spec(2, 4, 6).training
    assert training
    kept = KeptModels(tmp_path / "kept", [], lambda folder: None)
    checks = ValidationChecks(tiny_model(), split, training, TOKENS, kept)
    kept.keep(2)
    assert checks.can_go_on(Checkpoint(tmp_path, 3, {"validation": []}))
    at_four = Checkpoint(tmp_path, 4, {"validation": []})
    assert not checks.can_go_on(at_four)
    kept.keep(4)
    assert checks.can_go_on(at_four)


def test_a_step_beyond_the_run_is_refused_in_the_file_where_its_length_is_known() -> None:
    with pytest.raises(ValidationError, match="keep_steps holds step 7 of a run of 6 steps"):
        spec(2, 7)
    with pytest.raises(ValidationError, match="from 1 on"):
        spec(0)
    with pytest.raises(ValidationError, match="step 2 stands in the list twice"):
        spec(2, 2)


def test_a_step_beyond_the_run_is_refused_before_a_step_is_taken(inputs: dict[str, Path], tmp_path: Path) -> None:
    """Where the corpus decides how long the run is."""
    told: list[int] = []
    settings = spec(2, 700, steps=None, tokens_per_step=200)
    with pytest.raises(UserError, match=r"training\.keep_steps: step 700 is to be kept of a run of \d+ steps"):
        do("model", settings, inputs, tmp_path / "out", progress=lambda done, of: told.append(done))
    assert told == []


def test_a_run_that_stops_before_a_step_to_be_kept_says_so(inputs: dict[str, Path], tmp_path: Path) -> None:
    settings = spec(2, 6, stop=Stop(metric="response_loss", at=100.0, every=3).model_dump())
    with pytest.raises(UserError, match="stopped after step 3, and step 6 was to be kept"):
        do("model", settings, inputs, tmp_path / "out")
