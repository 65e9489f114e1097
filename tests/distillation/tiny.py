"""Tiny models and splits, and the plain step that the fused one must equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Ragged, Split
from clpd_bench.corpus.tokenizers import character_tokenizer
from clpd_bench.curriculum.schedule import Schedule, build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.checkpoints import KeptModels
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.models import new_model
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.supervisors import Teacher
from clpd_bench.distillation.train import Record, train
from clpd_bench.distillation.validation import ValidationChecks
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.model import Llama, Qwen3
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision

TOKENIZER = character_tokenizer("abcdefghijklmnopqrst")
PAD, END, VOCABULARY = TOKENIZER.pad_token_id, TOKENIZER.eos_token_id, len(TOKENIZER)
TOKENS = Vocabulary.of(TOKENIZER)
CE = CrossEntropy(name="cross_entropy")

Gradients = dict[str, torch.Tensor]


def tiny_model(kind: str = "llama", seed: int = 0, **settings: Any) -> PreTrainedModel:
    """One layer of width 16, unless told otherwise."""
    values = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, **settings}
    architecture = {"llama": Llama, "qwen3": Qwen3}[kind](name=kind, **values)
    return new_model(architecture, TOKENIZER, Streams(seed))


def with_dropout(kind: str = "llama", tied: bool = False) -> PreTrainedModel:
    """A student that draws in training: a run must find its place in that stream."""
    model = tiny_model(kind, seed=2, tie_word_embeddings=tied)
    for module in model.modules():
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.3
    return model


def ragged(lists: list[NDArray[np.int32]]) -> Ragged:
    return Ragged(np.concatenate(lists), np.cumsum([0, *map(len, lists)]))


def split_from(prompts: list[NDArray[np.int32]], responses: list[NDArray[np.int32]]) -> Split:
    ids = [f"e{i:02}" for i in range(len(prompts))]
    return Split(np.array(ids), ragged(prompts), ragged(responses), pa.table({"id": ids}))


def random_split(lengths: list[tuple[int, int]], vocabulary: int = len(TOKENIZER), seed: int = 0) -> Split:
    """Random letters; every response ends in the end token, which its length counts."""
    rng = np.random.default_rng(seed)

    def letters(n: int) -> NDArray[np.int32]:
        return rng.integers(3, vocabulary, n).astype(np.int32)

    return split_from(
        [letters(p) for p, _ in lengths], [np.append(letters(r - 1), END).astype(np.int32) for _, r in lengths]
    )


def schedule_of(split: Split, training: Training, stages: int = 1, teachers: int = 0, seed: int = 0) -> Schedule:
    supervision = Supervision(order=Shuffled(name="shuffled"), stages=stages, teachers=teachers)
    return build_schedule(split.ids, split.tokens, None, supervision, training, Streams(seed))


def fused_step(
    model: PreTrainedModel,
    split: Split,
    examples: list[int],
    *,
    loss: CrossEntropy | ForwardKl = CE,
    teachers: list[int] | None = None,
    targets: Sequence[Teacher] | None = None,
    micro_batch_tokens: int = 64,
    pad_id: int = PAD,
    vocabulary: int | None = None,
) -> tuple[float, Gradients]:
    """The loss of one global batch, and the gradients that the training loop would step along."""
    model.zero_grad()
    taught = teachers if teachers is not None else [0] * len(examples)
    tokens = Vocabulary(vocabulary or model.config.vocab_size, pad_id)
    batches = ScheduledBatches(
        model, split, one_step(split, examples, taught), targets, tokens, Streams(0), micro_batch_tokens
    )
    value, consumed = backward(BatchLoss(model, loss, tokens), batches.at(1))
    assert consumed.tolist() == list(range(len(examples)))
    return float(value), gradients(model)


def one_step(split: Split, examples: Sequence[int], teachers: Sequence[int]) -> Schedule:
    """All of these in one global batch."""
    ones = np.ones(len(examples), dtype=np.int64)
    return Schedule(split.ids, np.array(examples), ones, np.array(teachers), np.ones(1, dtype=np.int64))


def train_on(
    model: PreTrainedModel,
    split: Split,
    training: Training,
    context: Context,
    *,
    loss: CrossEntropy | ForwardKl = CE,
    targets: Sequence[Teacher] | None = None,
    schedule: Schedule | None = None,
    stages: int = 1,
    seed: int = 0,
    vocabulary: int = VOCABULARY,
    kept: KeptModels | None = None,
) -> Record:
    """A run over a split that validates on the same; shuffled, unless another schedule is given."""
    schedule = schedule or schedule_of(split, training, stages, len(targets or []), seed)
    tokens = Vocabulary(vocabulary, PAD)
    batches = ScheduledBatches(model, split, schedule, targets, tokens, Streams(seed), training.micro_batch_tokens)
    checks = ValidationChecks(model, split, training, tokens, kept)
    return train(BatchLoss(model, loss, tokens), batches, training, checks, context)


def plain_step(
    model: PreTrainedModel,
    split: Split,
    examples: list[int],
    token_losses: Callable[[int, torch.Tensor], torch.Tensor],
) -> tuple[float, Gradients]:
    """The same by definition: each example alone through transformers' own head, autograd over the
    sum of `token_losses(place, logits [r, V])`, divided by the number of response tokens."""
    model.zero_grad()
    tokens = sum(len(split.responses[e]) for e in examples)
    sums = [token_losses(place, response_logits(model, split, e)).sum() for place, e in enumerate(examples)]
    value = torch.stack(sums).sum() / tokens
    value.backward()
    return float(value.detach()), gradients(model)


def response_logits(model: PreTrainedModel, split: Split, example: int) -> torch.Tensor:
    """Shape [r, V]: the logits that predict each response token of one example."""
    prompt, response = split.prompts[example], split.responses[example]
    sequence = torch.from_numpy(np.concatenate([prompt, response]).astype(np.int64))
    return model(input_ids=sequence[None]).logits[0, len(prompt) - 1 : -1]


def gradients(model: PreTrainedModel) -> Gradients:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same_gradients(mine: Gradients, reference: Gradients, tolerance: float = 1e-12) -> None:
    assert mine.keys() == reference.keys()
    assert max(float(g.abs().max()) for g in reference.values()) > 1e-3
    for name in mine:
        torch.testing.assert_close(
            mine[name], reference[name], rtol=0, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )
