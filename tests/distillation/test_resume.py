"""A run that was interrupted ends as one that was not: to the bit, from whatever checkpoint verifies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import tiny_model, train_on, with_dropout
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation import checkpoints
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.train import Record
from clpd_bench.errors import Interrupted
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.training import Training

STEPS = 6
KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.1)


class Runner:
    """One run of `STEPS` steps by two teachers, in as many attempts as are asked for."""

    def __init__(self, split: Split, targets: list[Targets]) -> None:
        self.split, self.targets = split, targets
        self.first_steps: list[int] = []

    def __call__(
        self,
        model: PreTrainedModel,
        folder: Path,
        *,
        stop_at: int | None = None,
        earlier: list[Path] | None = None,
        checkpoint_seconds: float = 0.0,
        checkpointed: Callable[[], None] = lambda: None,
    ) -> Record:
        training = Training(
            epochs=2,
            steps=STEPS,
            learning_rate=0.01,
            warmup_steps=2,
            weight_decay=0.01,
            micro_batch_tokens=40,
            checkpoint_seconds=checkpoint_seconds,
        )
        told: list[int] = []
        context = Context(
            folder,
            earlier or [],
            should_stop=lambda: bool(told) and told[-1] == stop_at,
            progress=lambda done, of: told.append(done),
            checkpointed=checkpointed,
        )
        try:
            return train_on(model, self.split, training, context, loss=KL, targets=self.targets, stages=3)
        finally:
            self.first_steps.append(told[0])


@pytest.fixture
def runner(split: Split, whole_targets: list[Targets]) -> Runner:
    return Runner(split, whole_targets)


Run = tuple[PreTrainedModel, Record]


@pytest.fixture(scope="module")
def whole(split: Split, whole_targets: list[Targets], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that nothing interrupts."""
    model, folder = with_dropout(), tmp_path_factory.mktemp("whole") / "run"
    record = Runner(split, whole_targets)(model, folder, checkpoint_seconds=1e9)
    assert not folder.exists(), "checkpoints wait for their time"
    return model, record


@pytest.fixture(scope="module")
def interrupted(split: Split, whole_targets: list[Targets], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of runs that were told to leave after the step that their folder is called by."""
    folder = tmp_path_factory.mktemp("interrupted")
    for step in (LEFT, LEFT + 2):
        with pytest.raises(Interrupted):
            Runner(split, whole_targets)(with_dropout(), folder / f"{step}", stop_at=step)
    return folder


LEFT = 3


@pytest.fixture
def first(interrupted: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return Path(shutil.copytree(interrupted / f"{LEFT}", tmp_path / "first"))


def assert_same_run(mine: Run, reference: Run) -> None:
    for (name, a), b in zip(mine[0].named_parameters(), reference[0].parameters(), strict=True):
        assert torch.equal(a, b), name
    assert vars(mine[1]) == vars(reference[1])


@pytest.mark.parametrize(
    ("kind", "tied", "stop_at"), [("llama", False, 1), ("llama", True, 3), ("qwen3", True, STEPS - 1)]
)
def test_resumed_run_is_the_uninterrupted_one_to_the_bit(
    runner: Runner, tmp_path: Path, kind: str, tied: bool, stop_at: int
) -> None:
    whole, resumed = with_dropout(kind, tied), with_dropout(kind, tied)
    reference = runner(whole, tmp_path / "whole", checkpoint_seconds=1e9)
    with pytest.raises(Interrupted, match=f"after step {stop_at} of {STEPS}"):
        runner(resumed, tmp_path / "first", stop_at=stop_at, checkpoint_seconds=1e9)
    another = with_dropout(kind, tied)
    record = runner(another, tmp_path / "second", earlier=[tmp_path / "first"], checkpoint_seconds=1e9)
    assert runner.first_steps == [1, 1, stop_at + 1]
    assert_same_run((another, record), (whole, reference))
    if tied:
        assert another.get_output_embeddings().weight is another.get_input_embeddings().weight
        start = with_dropout(kind, tied).get_input_embeddings().weight
        assert not torch.equal(another.get_input_embeddings().weight, start)


def test_run_interrupted_after_every_step_is_the_uninterrupted_one(runner: Runner, whole: Run, tmp_path: Path) -> None:
    for step in range(1, STEPS):
        with pytest.raises(Interrupted):
            runner(with_dropout(), tmp_path / "parts", stop_at=step)
    resumed = with_dropout()
    assert_same_run((resumed, runner(resumed, tmp_path / "parts")), whole)
    assert runner.first_steps == list(range(1, STEPS + 1))


def test_dropout_is_on_and_differs_from_step_to_step(runner: Runner, whole: Run, tmp_path: Path) -> None:
    """Else the tests above would say less than they seem to."""
    assert runner(tiny_model(seed=2), tmp_path / "a").loss[0] != whole[1].loss[0]


def _flip(name: str) -> Callable[[Path], None]:
    def flip(place: Path) -> None:
        data = bytearray((place / name).read_bytes())
        data[-3] ^= 1
        (place / name).write_bytes(bytes(data))

    return flip


def _cut(name: str) -> Callable[[Path], None]:
    def cut(place: Path) -> None:
        data = (place / name).read_bytes()
        (place / name).write_bytes(data[: len(data) // 2])

    return cut


def _other_state(place: Path) -> None:
    """Valid JSON, but not what was written: a loss of another value."""
    record = json.loads((place / "state.json").read_text())
    record["state"]["loss"][0] += 1.0
    (place / "state.json").write_text(json.dumps(record))


def _no_object(place: Path) -> None:
    for file in place.glob("*.json"):
        file.write_text("null")


def _without_hash(place: Path) -> None:
    FAULTS["weights flipped"](place)
    for file in place.glob("*.json"):
        file.write_text(file.read_text().replace("model.safetensors", "state.json"))


FAULTS: dict[str, Callable[[Path], None]] = {
    "weights flipped": _flip("model.safetensors"),
    "moments flipped": _flip("optimizer.safetensors"),
    "weights cut": _cut("model.safetensors"),
    "weights gone": lambda place: (place / "model.safetensors").unlink(),
    "state cut": _cut("state.json"),
    "state gone": lambda place: (place / "state.json").unlink(),
    "state no object": _no_object,
    "weights unhashed": _without_hash,
    "state altered": _other_state,
}


def newest(*folders: Path) -> tuple[int, str]:
    """The step of the newest checkpoint that verifies, and its folder's name."""
    found = next(checkpoints.newest_first([*folders]))
    return found.step, found.folder.parent.name


@pytest.mark.parametrize("fault", FAULTS)
def test_corrupt_checkpoint_falls_back_to_the_one_before(first: Path, fault: str) -> None:
    assert sorted(place.name for place in first.iterdir()) == [f"step-{n:08}" for n in (LEFT - 1, LEFT)]
    assert newest(first)[0] == LEFT
    FAULTS[fault](first / f"step-{LEFT:08}")
    assert newest(first)[0] == LEFT - 1


@pytest.mark.parametrize("fault", ["weights flipped", "state gone"])
@pytest.mark.parametrize("again", [False, True], ids=["elsewhere", "in the same folder"])
def test_run_on_from_before_a_corrupt_checkpoint_is_the_uninterrupted_one(
    runner: Runner, whole: Run, first: Path, tmp_path: Path, fault: str, again: bool
) -> None:
    """In the same folder the run comes by the corrupt one's step once more, and replaces it."""
    resumed, told = with_dropout(), []
    FAULTS[fault](first / f"step-{LEFT:08}")
    folder = first if again else tmp_path / "second"
    record = runner(resumed, folder, earlier=[first], checkpointed=lambda: told.append(newest(folder)[0]))
    assert runner.first_steps[-1] == LEFT
    assert_same_run((resumed, record), whole)
    assert told == list(range(LEFT, STEPS + 1))


def test_nothing_but_corrupt_checkpoints_starts_anew(runner: Runner, whole: Run, first: Path, tmp_path: Path) -> None:
    for place in first.glob("step-*"):
        FAULTS["weights flipped"](place)
    resumed = with_dropout()
    record = runner(resumed, tmp_path / "second", earlier=[first, tmp_path / "absent"])
    assert runner.first_steps[-1] == 1
    assert_same_run((resumed, record), whole)


@pytest.mark.parametrize(("left", "next_step"), [("older", LEFT), ("newer", LEFT + 3), ("none", 1)])
def test_checkpoint_that_vanishes_before_it_is_restored_falls_back(
    runner: Runner,
    whole: Run,
    first: Path,
    interrupted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left: str,
    next_step: int,
) -> None:
    """A slow attempt, taken for dead, goes on and drops what another one has just verified."""
    verified, gone = checkpoints._verified, first / f"step-{LEFT:08}"

    def prune(place: Path) -> checkpoints.Checkpoint | None:
        found = verified(place)
        if place == gone:
            for old in [place] if left == "older" else first.glob("step-*"):
                shutil.rmtree(old)
            for newer in (interrupted / f"{LEFT + 2}").glob("step-*") if left == "newer" else ():
                shutil.copytree(newer, first / newer.name)
        return found

    monkeypatch.setattr(checkpoints, "_verified", prune)
    resumed = with_dropout()
    record = runner(resumed, tmp_path / "second", earlier=[first])
    assert runner.first_steps[-1] == next_step
    assert_same_run((resumed, record), whole)


def test_newest_checkpoint_of_all_attempts_is_taken(runner: Runner, tmp_path: Path) -> None:
    for name, step in (("a", 2), ("b", 3), ("c", 1)):
        with pytest.raises(Interrupted):
            runner(with_dropout(), tmp_path / name, stop_at=step)
    assert newest(*(tmp_path / name for name in "cab")) == (3, "b")


def test_unfinished_checkpoint_is_not_seen(runner: Runner, first: Path) -> None:
    """What a kill leaves while one is being written does not bear a checkpoint's name, nor hinder the next."""
    shutil.copytree(first / f"step-{LEFT:08}", first / f"making-{LEFT + 1}")
    assert newest(first)[0] == LEFT
    with pytest.raises(Interrupted):
        runner(with_dropout(), first, stop_at=LEFT + 1)
    assert sorted(place.name for place in first.iterdir()) == [f"step-{n:08}" for n in (LEFT, LEFT + 1)]


def test_only_the_newest_two_checkpoints_are_kept_and_each_is_told(runner: Runner, tmp_path: Path) -> None:
    folder, told = tmp_path / "run", []
    runner(with_dropout(), folder, checkpointed=lambda: told.append(len(list(folder.glob("step-*")))))
    assert told == [1, *[2] * (STEPS - 1)]
    assert sorted(place.name for place in folder.iterdir()) == [f"step-{n:08}" for n in (STEPS - 1, STEPS)]


def test_looks_taken_before_an_interruption_are_not_taken_again(runner: Runner, whole: Run, first: Path) -> None:
    """The look at step 0 above all: the resumed model is no longer the initial one."""
    record = runner(with_dropout(), first)
    assert [look["step"] for look in record.validation] == [0, STEPS]
    assert record.validation[0] == whole[1].validation[0]
