"""bfloat16 weights with float32 masters, frozen embeddings, activation checkpointing: what they change and leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import CE, TOKENIZER, TOKENS, gradients, one_step, tiny_model, train_on
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.models import load_model, save_model
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.train import Record
from clpd_bench.errors import Interrupted
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.training import Training

KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.1)
HALF_ULP = 2.0**-8
"""The relative error of rounding to bfloat16 once."""


def training(**fields: Any) -> Training:
    return Training(**{"epochs": 3, "steps": 9, "learning_rate": 0.01, "weight_decay": 0.1, **fields})


def run(
    model: PreTrainedModel,
    split: Split,
    settings: Training,
    folder: Path,
    targets: list[Targets] | None = None,
    **surroundings: Any,
) -> Record:
    loss = KL if targets else CE
    return train_on(model, split, settings, Context(folder, **surroundings), loss=loss, targets=targets, stages=3)


def summed(
    model: PreTrainedModel, split: Split, settings: Training, targets: list[Targets], loss: CrossEntropy | ForwardKl
) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of one global batch, and the gradients as the optimizer would see them."""
    trained = TrainedParameters(model, settings)
    schedule = one_step(split, range(12), [1, 2, 2, 0, 2, 1, 1, 0, 1, 2, 2, 1])
    batches = ScheduledBatches(model, split, schedule, targets, TOKENS, Streams(0), settings.micro_batch_tokens)
    value, _ = backward(BatchLoss(model, loss, TOKENS), batches.at(1))
    return float(value), {name: p.grad for name, p in trained.masters.items() if p.grad is not None}


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("loss", [CE, KL])
@pytest.mark.parametrize("micro_batch_tokens", [1, 10**6])
def test_bfloat16_gradients_are_the_exact_ones_within_its_rounding(
    whole_targets: list[Targets], split: Split, loss: CrossEntropy | ForwardKl, micro_batch_tokens: int, tied: bool
) -> None:
    """Of the same weights: rounding is what the two differ by, not the start. As many slices as examples
    come no further from them than one, as the sum over slices is float32's."""
    rounded = tiny_model(seed=1, tie_word_embeddings=tied)
    with torch.no_grad():
        for p in rounded.parameters():
            p.copy_(p.bfloat16())
    settings = training(micro_batch_tokens=micro_batch_tokens)
    exact, reference = summed(
        tiny_model(seed=1, tie_word_embeddings=tied).to(torch.bfloat16).double(), split, settings, whole_targets, loss
    )
    value, mine = summed(
        rounded.float(), split, settings.model_copy(update={"precision": "bfloat16"}), whole_targets, loss
    )
    assert {p.dtype for p in rounded.parameters()} == {torch.bfloat16}
    assert {g.dtype for g in mine.values()} == {torch.float32}
    assert gradients(rounded) == {}
    assert value == pytest.approx(exact, rel=4 * HALF_ULP)
    assert mine.keys() == reference.keys()
    for name, g in mine.items():
        error = (g.double() - reference[name]).norm() / reference[name].norm()
        assert error < 8 * HALF_ULP, name


def test_masters_keep_what_bfloat16_rounds_off(split: Split, tmp_path: Path) -> None:
    """Steps far below the spacing of bfloat16 numbers move the masters, and in time the model."""
    model = tiny_model(seed=1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trained = TrainedParameters(model, training(precision="bfloat16"))
    assert all(torch.equal(trained.masters[name], p) for name, p in before.items())
    assert all(torch.equal(p, before[name].bfloat16()) for name, p in model.named_parameters())
    one = before["model.norm.weight"]
    for _ in range(100):
        with torch.no_grad():
            trained.masters["model.norm.weight"] += 1e-4
        trained.write_back()
    torch.testing.assert_close(model.get_decoder().norm.weight.float(), one + 0.01, rtol=HALF_ULP, atol=0)
    assert not torch.equal(model.get_decoder().norm.weight.float(), one)


@pytest.mark.parametrize(
    ("tied", "freeze", "stop_at"), [(False, False, 1), (False, True, 3), (True, False, 2), (True, True, 2)]
)
def test_resumed_bfloat16_run_is_the_uninterrupted_one_to_the_bit(
    split: Split, whole_targets: list[Targets], tmp_path: Path, tied: bool, freeze: bool, stop_at: int
) -> None:
    settings = training(
        epochs=1, steps=4, precision="bfloat16", freeze_embeddings=freeze, micro_batch_tokens=40, checkpoint_seconds=1e9
    )
    whole, first, second = (tiny_model(seed=2, tie_word_embeddings=tied) for _ in range(3))
    reference = run(whole, split, settings, tmp_path / "whole", whole_targets)
    told: list[int] = []
    with pytest.raises(Interrupted):
        run(
            first,
            split,
            settings,
            tmp_path / "first",
            whole_targets,
            should_stop=lambda: len(told) == stop_at,
            progress=lambda done, of: told.append(done),
        )
    record = run(second, split, settings, tmp_path / "second", whole_targets, earlier=[tmp_path / "first"])
    assert vars(record) == vars(reference)
    for (name, a), b in zip(second.named_parameters(), whole.parameters(), strict=True):
        assert a.dtype == torch.bfloat16
        assert torch.equal(a, b), name


def test_a_bfloat16_model_is_saved_as_one_with_whole_rotary_frequencies(split: Split, tmp_path: Path) -> None:
    model = tiny_model(seed=2)
    frequencies = model.get_decoder().rotary_emb.inv_freq.clone()
    run(model, split, training(precision="bfloat16"), tmp_path / "run")
    assert torch.equal(model.get_decoder().rotary_emb.inv_freq, frequencies)
    save_model(model, TOKENIZER, tmp_path / "model")
    again = load_model(tmp_path / "model", "auto")
    assert again.dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("tied", [False, True])
def test_frozen_embeddings_stay_and_a_head_tied_to_them(
    split: Split, tmp_path: Path, tied: bool, precision: str
) -> None:
    """Under weight decay too; everything else moves."""
    model, start = (tiny_model(seed=2, tie_word_embeddings=tied) for _ in range(2))
    run(model, split, training(freeze_embeddings=True, precision=precision, weight_decay=0.5), tmp_path)
    as_trained = start.to(model.dtype)
    same = {
        name
        for (name, p), q in zip(model.named_parameters(), as_trained.parameters(), strict=True)
        if torch.equal(p, q)
    }
    assert same == {"model.embed_tokens.weight"}
    if not tied:
        assert not torch.equal(model.get_output_embeddings().weight, as_trained.get_output_embeddings().weight)


def test_without_freezing_embeddings_move(split: Split, tmp_path: Path) -> None:
    model, start = (tiny_model(seed=2) for _ in range(2))
    run(model, split, training(), tmp_path)
    assert not torch.equal(model.get_input_embeddings().weight, start.get_input_embeddings().weight)


@pytest.mark.parametrize("freeze", [False, True])
def test_activation_checkpointing_changes_nothing(
    split: Split, whole_targets: list[Targets], tmp_path: Path, freeze: bool
) -> None:
    """Not even under dropout: what is computed again draws the same."""
    forwards = []
    models = []
    for name, on in (("off", False), ("on", True)):
        model = tiny_model(seed=2, num_hidden_layers=3)
        for layer in model.get_decoder().layers:
            layer.self_attn.attention_dropout = 0.3
        calls = [0]
        layer.mlp.register_forward_pre_hook(lambda *_, calls=calls: calls.__setitem__(0, calls[0] + 1))
        settings = training(epochs=1, steps=3, activation_checkpointing=on, freeze_embeddings=freeze)
        models.append((model, run(model, split, settings, tmp_path / name, whole_targets)))
        forwards.append(calls[0])
    (a, record_a), (b, record_b) = models
    assert forwards[1] >= forwards[0] + 3
    assert vars(record_a) == vars(record_b)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_micro_batches_are_summed_in_float32(split: Split) -> None:
    """In bfloat16 a sum of equal parts stands still at 256 of them."""
    alone, often = (
        fused(tiny_model(seed=1), split, examples, training(precision="bfloat16", micro_batch_tokens=1))
        for examples in ([3], [3] * 300)
    )
    for name, g in often.items():
        assert float((g - alone[name]).norm() / alone[name].norm()) < 4 * HALF_ULP, name


def fused(model: PreTrainedModel, split: Split, examples: list[int], settings: Training) -> dict[str, torch.Tensor]:
    trained = TrainedParameters(model, settings)
    nobody = np.zeros(len(examples), dtype=np.int64)
    batches = ScheduledBatches(
        model, split, one_step(split, examples, nobody), None, TOKENS, Streams(0), settings.micro_batch_tokens
    )
    backward(BatchLoss(model, CE, TOKENS), batches.at(1))
    return {name: p.grad for name, p in trained.masters.items() if p.grad is not None}
