"""The loop takes the documented steps, in the schedule's order, and ends as declared."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import CE, TOKENS, VOCABULARY, gradients, response_logits, schedule_of, tiny_model, train_on
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation import scheduled, validation
from clpd_bench.distillation.batch_loss import BatchLoss
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.divergences import TokenLoss
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.train import Diverged, Record
from clpd_bench.distillation.validation import StopNotReached
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.training import Stop, Training

KL = ForwardKl(name="forward_kl", temperature=2.0)


def run(
    model: PreTrainedModel,
    split: Split,
    training: Training,
    folder: Path,
    *,
    loss: CrossEntropy | ForwardKl = CE,
    targets: list[Targets] | None = None,
    **settings: Any,
) -> Record:
    return train_on(model, split, training, Context(folder), loss=loss, targets=targets, **settings)


class Scripted:
    """Stands in for `score`; each look gives the next of the given values."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def __call__(self, *_: object) -> Scripted:
        self.value = self.values.pop(0)
        return self

    def mean(self, metric: str) -> float:
        return self.value


def record_steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """(learning rate, norm of the whole gradient) of each optimizer step from now on."""
    seen: list[tuple[float, float]] = []
    step = torch.optim.AdamW.step

    def recorded(self: torch.optim.AdamW, *args: Any) -> Any:
        (rate,) = {group["lr"] for group in self.param_groups}
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        seen.append((rate, float(torch.linalg.vector_norm(torch.cat([g.flatten() for g in grads])))))
        return step(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", recorded)
    return seen


def test_training_is_the_plain_loop_over_the_schedule(split: Split, tmp_path: Path) -> None:
    """Adam written out, on autograd's gradients of each global batch's mean, clipped to the norm asked for."""
    training = Training(
        epochs=2, steps=5, learning_rate=0.02, betas=(0.8, 0.9), weight_decay=0.1, clip=0.5, micro_batch_tokens=30
    )
    ours, plain = tiny_model(seed=3).double(), tiny_model(seed=3).double()
    record = run(ours, split, training, tmp_path)

    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in plain.named_parameters()}
    for step, examples, _ in schedule_of(split, training).batches():
        losses = []
        for e in examples:
            logits, labels = response_logits(plain, split, e), torch.from_numpy(split.responses[e].astype(np.int64))
            losses.append(-logits.log_softmax(-1).gather(-1, labels[:, None]).squeeze(-1))
        plain.zero_grad()
        loss = torch.cat(losses).mean()
        loss.backward()
        assert record.loss[step - 1] == pytest.approx(float(loss.detach()), rel=1e-6)
        grads = gradients(plain)
        norm = torch.cat([g.flatten() for g in grads.values()]).norm()
        rate = 0.02 * (0.5 if step == 5 else 1.0)
        with torch.no_grad():
            for name, p in plain.named_parameters():
                g = grads[name] * min(1.0, 0.5 / float(norm))
                first, second = moments[name]
                first.mul_(0.8).add_(0.2 * g)
                second.mul_(0.9).add_(0.1 * g * g)
                p.mul_(1 - rate * 0.1)
                p.sub_(rate * (first / (1 - 0.8**step)) / ((second / (1 - 0.9**step)).sqrt() + 1e-8))
    for (name, mine), theirs in zip(ours.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_learning_rate_warms_up_stays_and_falls_linearly_towards_zero(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = record_steps(monkeypatch)
    training = Training(epochs=3, steps=10, learning_rate=0.6, warmup_steps=2, decay_fraction=0.3)
    run(tiny_model(), split, training, tmp_path)
    assert [rate for rate, _ in seen] == pytest.approx([0.2, 0.4, *[0.6] * 5, 0.45, 0.3, 0.15])


def test_learning_rate_without_warm_up_and_decay_is_constant(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = record_steps(monkeypatch)
    run(tiny_model(), split, Training(steps=4, learning_rate=0.01, decay_fraction=0), tmp_path)
    assert [rate for rate, _ in seen] == [0.01] * 4


def test_gradient_norm_is_clipped(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = record_steps(monkeypatch)
    for clip in (1e-3, 1e6):
        run(tiny_model(), split, Training(steps=3, learning_rate=1e-4, clip=clip), tmp_path)
    clipped, free = ([norm for _, norm in part] for part in (seen[:3], seen[3:]))
    assert clipped == pytest.approx([1e-3] * 3, rel=1e-2)
    assert min(free) > 0.05


@pytest.mark.parametrize("micro_batch_tokens", [1, 30, 10**6])
def test_consumed_presentations_are_the_schedules_whatever_the_micro_batch(
    split: Split, tmp_path: Path, whole_targets: list[Targets], micro_batch_tokens: int
) -> None:
    training = Training(epochs=2, steps=6, learning_rate=1e-3, micro_batch_tokens=micro_batch_tokens)
    record = run(tiny_model(), split, training, tmp_path, loss=KL, targets=whole_targets, stages=2, seed=4)
    schedule = schedule_of(split, training, 2, 2, seed=4)
    assert record.consumed == schedule.consumed_hash()
    assert record.consumed != schedule_of(split, training, 2, 2, seed=5).consumed_hash()
    assert record.tokens == 2 * split.tokens.sum()
    assert record.response_tokens == 2 * split.responses.lengths.sum()


@pytest.mark.parametrize("fault", ["dropped", "exchanged"])
def test_consumed_hash_tells_a_presentation_that_was_not_consumed_as_scheduled(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    whole = scheduled.micro_batches

    def faulty(*args: Any, **settings: Any) -> Any:
        batches = list(whole(*args, **settings))
        if fault == "dropped":
            return batches[1:]
        return [replace(b, places=np.zeros_like(b.places)) for b in batches]

    monkeypatch.setattr(scheduled, "micro_batches", faulty)
    training = Training(steps=2, learning_rate=1e-3, micro_batch_tokens=1)
    monkeypatch.setattr(validation, "score", Scripted(1.0, 1.0))
    record = run(tiny_model(), split, training, tmp_path)
    assert record.consumed != schedule_of(split, training).consumed_hash()


def test_training_looks_at_validation_first_and_last(split: Split, tmp_path: Path) -> None:
    record = run(tiny_model(), split, Training(epochs=4, steps=8, learning_rate=0.01), tmp_path)
    assert [look["step"] for look in record.validation] == [0, 8]
    assert record.validation[-1]["response_loss"] < record.validation[0]["response_loss"] - 0.1
    assert len(record.loss) == 8


@pytest.mark.parametrize(
    ("metric", "at", "values"), [("response_loss", 1.0, [5.0, 2.0, 0.9]), ("sequence_accuracy", 0.5, [0.0, 0.4, 0.5])]
)
def test_training_stops_at_the_first_look_that_reaches(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, at: float, values: list[float]
) -> None:
    monkeypatch.setattr(validation, "score", Scripted(*values))
    stop = Stop(metric=metric, at=at, every=2)
    training = Training(epochs=2, steps=8, learning_rate=1e-3, stop=stop)
    record = run(tiny_model(), split, training, tmp_path)
    assert [look["step"] for look in record.validation] == [0, 2, 4]
    assert len(record.loss) == 4
    assert record.consumed == schedule_of(split, training).consumed_hash(4)


def test_the_look_behind_the_last_step_counts_as_one(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where `every` does not divide the steps."""
    monkeypatch.setattr(validation, "score", Scripted(5.0, 2.0, 0.9))
    stop = Stop(metric="response_loss", at=1.0, every=3)
    record = run(tiny_model(), split, Training(steps=5, learning_rate=1e-3, stop=stop), tmp_path)
    assert [look["step"] for look in record.validation] == [0, 3, 5]


def test_a_stop_not_reached_is_told_with_both_numbers(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "score", Scripted(0.0, 0.1, 0.25, 0.125))
    stop = Stop(metric="sequence_accuracy", at=0.75, every=2)
    expected = "after all 5 steps the validation sequence_accuracy is 0.125, and the declared stop is 0.75"
    with pytest.raises(StopNotReached, match=re.escape(expected)):
        run(tiny_model(), split, Training(steps=5, learning_rate=1e-3, stop=stop), tmp_path)


def test_a_loss_that_is_no_number_names_step_stage_teacher_and_examples(
    split: Split, tmp_path: Path, whole_targets: list[Targets]
) -> None:
    """The second teacher's outputs are spoilt; it teaches stage 2, steps 3 and 4."""
    nothing = np.full((int(split.responses.offsets[-1]), VOCABULARY), np.nan, dtype=np.float32)
    spoilt = replace(whole_targets[1], logits=nothing)
    training = Training(epochs=2, steps=4, learning_rate=1e-3)
    model = tiny_model()
    with pytest.raises(Diverged) as caught:
        run(model, split, training, tmp_path, loss=KL, targets=[whole_targets[0], spoilt], stages=2)
    _, examples, teachers = list(schedule_of(split, training, 2, 2).batches())[2]
    assert set(teachers) == {2}
    assert str(caught.value).startswith("the loss is nan at step 3 of 4, stage 2, teacher 2; examples ")
    shown = str(caught.value).rpartition("examples ")[2].split()
    assert shown[:8] == split.ids[examples][:8].tolist()
    assert shown[8:] == (["..."] if len(examples) > 8 else [])
    assert all(p.isfinite().all() for p in model.parameters())


def test_an_infinite_loss_without_a_teacher_is_told_too(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenLoss, "__call__", lambda self, logits, labels, *more: logits.sum(-1) * 0 + torch.inf)
    with pytest.raises(Diverged, match=r"the loss is inf at step 1 of 3, stage 1, no teacher; examples e\d\d "):
        run(tiny_model(), split, Training(steps=3, learning_rate=1e-3), tmp_path)


def test_a_gradient_that_is_no_number_is_told_at_its_own_step(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss itself may still be one: the next step's would not, and behind the last there is no next."""

    def kink(self: TokenLoss, logits: torch.Tensor, *more: object) -> torch.Tensor:
        return (logits * 0).sum(-1).sqrt()

    monkeypatch.setattr(TokenLoss, "__call__", kink)
    with pytest.raises(Diverged, match="at step 1 of 1"):
        run(tiny_model(), split, Training(steps=1, learning_rate=1e-3), tmp_path)


def test_targets_of_another_vocabulary_size_are_refused(
    split: Split, tmp_path: Path, whole_targets: list[Targets]
) -> None:
    model = tiny_model()
    model.resize_token_embeddings(32)
    with pytest.raises(ValueError, match=r"23 .* 32"):
        run(
            model,
            split,
            Training(steps=2, learning_rate=1e-3),
            tmp_path,
            loss=KL,
            targets=whole_targets[:1],
            vocabulary=32,
        )


def test_a_teacher_without_targets_is_refused(split: Split, tmp_path: Path, whole_targets: list[Targets]) -> None:
    """And its presentations are never trained by cross-entropy instead."""
    training = Training(steps=2, learning_rate=1e-3)
    schedule = schedule_of(split, training, 2, 2, 0)
    with pytest.raises(ValueError, match="the schedule has teacher 2, and there are 1 teachers"):
        run(tiny_model(), split, training, tmp_path, loss=KL, targets=whole_targets[:1], schedule=schedule)
    with pytest.raises(ValueError, match="the loss wants what teachers say"):
        run(tiny_model(), split, training, tmp_path, loss=KL, schedule=schedule)


def test_teachers_at_another_temperature_than_the_loss_are_refused(
    split: Split, tmp_path: Path, whole_targets: list[Targets]
) -> None:
    """Their normaliser would be of other logits, and the divergence could be negative."""
    other = KL.model_copy(update={"temperature": 1.0})
    with pytest.raises(ValueError, match="the loss has temperature 1, and its teachers speak at 2"):
        run(tiny_model(), split, Training(steps=2, learning_rate=1e-3), tmp_path, loss=other, targets=whole_targets[:1])


def test_a_batch_can_be_gone_through_as_often_as_one_likes(split: Split, whole_targets: list[Targets]) -> None:
    model, schedule = tiny_model(), schedule_of(split, Training(steps=2, learning_rate=1e-3), 2, 2)
    batch = ScheduledBatches(model, split, schedule, whole_targets, TOKENS, Streams(0), 40).at(2)
    loss = BatchLoss(model, KL, TOKENS)
    first, second = (sum(loss(rows).item() for rows in batch.micro_batches()) for _ in range(2))
    assert first == second > 0
