"""A step is one global batch: slices of it change rounding alone, and each presentation has its own teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import (
    CE,
    PAD,
    TOKENS,
    assert_same_gradients,
    fused_step,
    plain_step,
    random_split,
    response_logits,
    tiny_model,
)
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import micro_batches
from clpd_bench.distillation.targets import Targets, read_targets, write_targets
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings

KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.25)
EVERYTHING = list(range(12))
MIXED = [1, 2, 2, 1, 2, 1, 1, 2, 1, 2, 2, 1]
SOME_UNTAUGHT = [0, 2, 2, 1, 0, 1, 1, 0, 1, 0, 2, 0]
SLICES = [1, 20, 50, 10**6]


def nll(logits: torch.Tensor, split: Split, example: int) -> torch.Tensor:
    labels = torch.from_numpy(split.responses[example].astype(np.int64))
    return -logits.log_softmax(-1)[torch.arange(len(labels)), labels]


def kl_from(teacher: PreTrainedModel, logits: torch.Tensor, split: Split, example: int) -> torch.Tensor:
    """KL's loss by definition, the teacher asked anew."""
    with torch.no_grad():
        p = (response_logits(teacher, split, example).double() / 2).softmax(-1)
    kl = (p * (p.log() - (logits / 2).log_softmax(-1))).sum(-1)
    return 0.75 * 4 * kl + 0.25 * nll(logits, split, example)


@pytest.mark.parametrize("micro_batch_tokens", SLICES)
def test_cross_entropy_step_is_the_plain_mean_over_the_global_batch(
    student: PreTrainedModel, split: Split, micro_batch_tokens: int
) -> None:
    value, mine = fused_step(student, split, EVERYTHING, micro_batch_tokens=micro_batch_tokens)
    reference, theirs = plain_step(student, split, EVERYTHING, lambda place, z: nll(z, split, EVERYTHING[place]))
    assert value == pytest.approx(reference, rel=1e-13)
    assert_same_gradients(mine, theirs)


def test_mean_is_over_response_tokens_and_not_over_micro_batches_or_examples(
    student: PreTrainedModel, split: Split
) -> None:
    value, _ = fused_step(student, split, EVERYTHING, micro_batch_tokens=1)
    with torch.no_grad():
        losses = [nll(response_logits(student, split, e), split, e) for e in EVERYTHING]
    assert value == pytest.approx(float(torch.cat(losses).mean()), rel=1e-13)
    assert abs(value - float(torch.stack([each.mean() for each in losses]).mean())) > 1e-3


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("taught", [[2] * 12, MIXED, [0] * 12, SOME_UNTAUGHT])
@pytest.mark.parametrize("micro_batch_tokens", [1, 50])
def test_each_presentation_learns_from_its_own_teacher(
    student: PreTrainedModel,
    teachers: list[PreTrainedModel],
    whole_targets: list[Targets],
    split: Split,
    taught: list[int],
    micro_batch_tokens: int,
) -> None:
    """Also where both teach in one step, and where nobody does (0): cross-entropy, untempered.

    Stored targets are float32, hence the tolerance."""
    examples = EVERYTHING[::-1]

    def losses(place: int, logits: torch.Tensor) -> torch.Tensor:
        if taught[place] == 0:
            return nll(logits, split, examples[place])
        return kl_from(teachers[taught[place] - 1], logits, split, examples[place])

    value, mine = fused_step(
        student,
        split,
        examples,
        loss=KL,
        teachers=taught,
        targets=whole_targets,
        micro_batch_tokens=micro_batch_tokens,
    )
    reference, theirs = plain_step(student, split, examples, losses)
    assert value == pytest.approx(reference, rel=1e-5)
    assert_same_gradients(mine, theirs, tolerance=1e-6)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("top_k", [None, 4])
def test_a_mixed_step_is_the_sum_of_its_teachers_shares(
    student: PreTrainedModel, teachers: list[PreTrainedModel], split: Split, tmp_path: Path, top_k: int | None
) -> None:
    targets = []
    for i, teacher in enumerate(teachers):
        folder = tmp_path / str(i)
        folder.mkdir()
        settings = TargetsSettings(top_k=top_k, temperatures=(2.0,))
        write_targets(teacher, split, settings, 64, TOKENS, folder, lambda done, of: None)
        targets.append(read_targets(folder, split, 2.0))
    mixed, gradient = fused_step(
        student, split, EVERYTHING, loss=KL, teachers=MIXED, targets=targets, micro_batch_tokens=10**6
    )
    tokens, value, expected = split.responses.lengths, 0.0, {name: torch.zeros_like(g) for name, g in gradient.items()}
    for m in (1, 2):
        mine = [e for e in EVERYTHING if MIXED[e] == m]
        share = float(tokens[mine].sum() / tokens.sum())
        part, part_gradient = fused_step(
            student, split, mine, loss=KL, teachers=[1] * len(mine), targets=[targets[m - 1]], micro_batch_tokens=1
        )
        value += share * part
        for name, g in part_gradient.items():
            expected[name] += share * g
    assert mixed == pytest.approx(value, rel=1e-13)
    # transformers' norms go through float32, where another normaliser rounds otherwise.
    assert_same_gradients(gradient, expected, tolerance=1e-7)


@pytest.mark.parametrize("loss", [CE, KL])
def test_micro_batches_change_rounding_alone_in_float32(
    whole_targets: list[Targets], split: Split, loss: CrossEntropy | ForwardKl
) -> None:
    model = tiny_model(seed=1)
    runs = [
        fused_step(model, split, EVERYTHING, loss=loss, teachers=MIXED, targets=whole_targets, micro_batch_tokens=n)
        for n in SLICES
    ]
    for value, gradient in runs[1:]:
        assert value == pytest.approx(runs[0][0], rel=1e-6)
        assert_same_gradients(gradient, runs[0][1], tolerance=1e-6)


def test_an_example_shown_twice_counts_twice(student: PreTrainedModel, split: Split) -> None:
    examples = [4, 7, 4, 4]
    value, mine = fused_step(student, split, examples, micro_batch_tokens=25)
    reference, theirs = plain_step(student, split, examples, lambda place, z: nll(z, split, examples[place]))
    assert value == pytest.approx(reference, rel=1e-13)
    assert_same_gradients(mine, theirs)


@pytest.mark.parametrize("micro_batch_tokens", [1, 10**6])
def test_a_head_that_is_computed_has_the_gradients_of_a_plain_step(split: Split, micro_batch_tokens: int) -> None:
    """As adapters compute it: its graph is used up by the backward pass of each micro-batch."""
    model = tiny_model(seed=3, tie_word_embeddings=False).double()
    head = model.get_output_embeddings()

    class Adapted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.change = torch.nn.Parameter(torch.randn(len(head.weight), 1, dtype=torch.float64))

        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return weight + self.change * weight.mean(0)

    torch.nn.utils.parametrize.register_parametrization(head, "weight", Adapted())
    value, mine = fused_step(model, split, EVERYTHING, micro_batch_tokens=micro_batch_tokens)
    reference, theirs = plain_step(model, split, EVERYTHING, lambda place, z: nll(z, split, EVERYTHING[place]))
    assert value == pytest.approx(reference, rel=1e-12)
    assert any("change" in name for name in mine)
    assert_same_gradients(mine, theirs)


@pytest.mark.parametrize("micro_batch_tokens", [1, 10**6])
def test_an_example_without_response_tokens_adds_nothing(student: PreTrainedModel, micro_batch_tokens: int) -> None:
    """Alone in its micro-batch or beside others: no NaN, no share of the mean."""
    split = random_split([(4, 3), (6, 2), (3, 1)])
    lengths = np.array([3, 2, 0])
    emptied = Split(
        split.ids,
        split.prompts,
        type(split.responses)(split.responses.values[:5], np.concatenate([[0], np.cumsum(lengths)])),
        split.table,
    )
    value, mine = fused_step(student, emptied, [2, 0, 1], micro_batch_tokens=micro_batch_tokens)
    expected, theirs = fused_step(student, split, [0, 1])
    assert value == pytest.approx(expected, rel=1e-13)
    assert_same_gradients(mine, theirs)


@pytest.mark.parametrize("limit", SLICES)
def test_micro_batches_hold_each_presentation_once_within_the_token_limit(split: Split, limit: int) -> None:
    examples = np.array([3, 3, 0, 11, 5, 5, 8])
    batches = list(micro_batches(split, examples, limit, PAD, torch.device("cpu")))
    assert sorted(np.concatenate([b.places for b in batches]).tolist()) == list(range(len(examples)))
    for b in batches:
        rows, width = b.input_ids.shape
        assert rows == 1 or rows * (width + 1) <= limit
        assert width + 1 == split.tokens[examples[b.places]].max()
    assert len(batches) == (len(examples) if limit == 1 else len(batches))
    assert len(batches) == 1 or limit < 10**6
