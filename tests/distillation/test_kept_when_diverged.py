"""A student whose loss is no number leaves nothing, or exactly what it was before that step."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from test_training_jobs import SHUFFLED, SMALL, TRAINING, corpus, do

from clpd_bench.distillation import train as loop
from clpd_bench.distillation.batch_loss import BatchLoss
from clpd_bench.distillation.scheduled import GlobalBatch
from clpd_bench.distillation.train import Diverged
from clpd_bench.errors import Interrupted
from clpd_bench.settings.specs import ModelSpec

STEPS = 6


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kept")
    inputs = {"corpus": corpus(root / "corpus")}
    do("model", ModelSpec(architecture=SMALL, seed=0), inputs, root / "initial")
    return {**inputs, "initial": root / "initial"}


def spec(**fields: Any) -> ModelSpec:
    return ModelSpec(training=TRAINING, supervision=SHUFFLED, seed=0, **fields)


def diverge_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is nan at this step, whichever attempt comes to it."""
    real = loop.backward

    def spoilt(loss: BatchLoss, batch: GlobalBatch) -> Any:
        value, consumed = real(loss, batch)
        return (torch.tensor(torch.nan) if batch.moment.step == step else value), consumed

    monkeypatch.setattr(loop, "backward", spoilt)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


def states(inputs: dict[str, Path], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[set[Any]]:
    """The weights after 0, 1, ... steps of a run that nothing spoils."""
    seen = [values(weights(inputs["initial"]).values())]
    step = torch.optim.AdamW.step

    def recorded(self: torch.optim.AdamW, *arguments: Any) -> Any:
        out = step(self, *arguments)
        seen.append(values(p.detach() for group in self.param_groups for p in group["params"]))
        return out

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", recorded)
        do("model", spec(), inputs, folder)
    return seen


def values(tensors: Iterable[torch.Tensor]) -> set[Any]:
    return {(tuple(tensor.shape), tuple(tensor.flatten().tolist())) for tensor in tensors}


def test_it_fails_by_default_and_leaves_nothing(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diverge_at(3, monkeypatch)
    with pytest.raises(Diverged, match="at step 3 of 6"):
        do("model", spec(), inputs, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("step", [1, 3, STEPS])
def test_what_is_kept_are_the_weights_before_the_step(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before = states(inputs, tmp_path / "whole", monkeypatch)[step - 1]
    diverge_at(step, monkeypatch)
    measured = do("model", spec(on_divergence="keep_last"), inputs, tmp_path / "out")
    assert values(weights(tmp_path / "out").values()) == before
    assert measured.details["diverged"].startswith(
        f"the loss is nan at step {step} of 6, stage 1, no teacher; examples"
    )
    assert measured.details["steps"] == step - 1
    assert measured.details["validation"]["step"] == step - 1
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert len(record["loss"]) == step - 1
    assert record["consumed"] == record["scheduled"]
    assert [look["step"] for look in record["validation"]] == sorted({0, step - 1})


def test_a_run_that_was_killed_before_keeps_the_same(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the last checkpoint before the failure was: when one is written is the clock's affair."""
    diverge_at(5, monkeypatch)
    kept = spec(on_divergence="keep_last")
    do("model", kept, inputs, tmp_path / "whole")
    stops = iter([False, True])
    with pytest.raises(Interrupted):
        do("model", kept, inputs, tmp_path / "first", should_stop=lambda: next(stops))
    do("model", kept, inputs, tmp_path / "again", earlier=[tmp_path / "first-checkpoints"])
    whole, again = weights(tmp_path / "whole"), weights(tmp_path / "again")
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_where_nothing_diverges_the_policy_changes_nothing(inputs: dict[str, Path], tmp_path: Path) -> None:
    do("model", spec(), inputs, tmp_path / "one")
    measured = do("model", spec(on_divergence="keep_last"), inputs, tmp_path / "other")
    assert "diverged" not in measured.details
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes(), file.name
