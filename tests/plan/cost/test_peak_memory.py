"""Peak memory worked out beforehand against the allocator's, as torch's profiler traces it while the jobs' own code
runs, at sizes at which weights are a small part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from measured import Student, a_split, allocated_at_peak, dimensions, model

from clpd_bench.costs.inputs import passes, whole
from clpd_bench.costs.memory import Held, Peak, reading, score_blocks, target_blocks
from clpd_bench.costs.memory_training import Step, training_step
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.targets import write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.flops.sizes import CHUNK_ELEMENTS
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings
from clpd_bench.settings.parts.training import Training

WITHIN = 0.08
HELD = ("weights", "float32 masters", "AdamW's moments")


def there_before(peak: Peak) -> float:
    """What a step finds, and the profiler so does not see come."""
    return sum(term.value for term in peak.terms if term.what in HELD or term.what.startswith("weights of"))


def peak_of_student(settings: Training, teacher: Held | None = None, **shape: Any) -> tuple[Peak, int]:
    """(what is worked out, what is measured without what is there before)."""
    d = dimensions(shape.pop("family", "llama"), **shape)
    split, texts = a_split()
    _, largest = passes(texts, whole(texts), settings.micro_batch_tokens)
    several = largest.responses * d.vocab_size > CHUNK_ELEMENTS["cpu"]
    loss = ForwardKl(name="forward_kl") if teacher else CrossEntropy(name="cross_entropy")
    step = Step(
        settings.precision == "bfloat16",
        settings.activation_checkpointing,
        settings.freeze_embeddings,
        loss.logit_blocks(None, several),
    )
    live = [LiveTeacher(model(teacher.dimensions), d.vocab_size, 1.0)] if teacher else []
    student = Student(d, split, settings, loss, live)
    student.step()  # AdamW makes its moments in the first
    peak = training_step(d, d.vocab_size, largest, step, [teacher] if teacher else [])
    return peak, allocated_at_peak(student.step)


def training(**other: Any) -> Training:
    return Training(steps=2, learning_rate=1e-3, **{"micro_batch_tokens": 2048, **other})


@pytest.mark.parametrize(
    ("precision", "settings", "shape"),
    [
        ("float32", {}, {}),
        ("bfloat16", {}, {"vocab_size": 300}),
        ("bfloat16", {"activation_checkpointing": True}, {}),
        ("float32", {"activation_checkpointing": True}, {"vocab_size": 300, "num_hidden_layers": 6}),
        ("bfloat16", {"micro_batch_tokens": 600}, {}),
        ("float32", {"micro_batch_tokens": 600}, {"vocab_size": 6000, "tie_word_embeddings": True}),
        ("float32", {"freeze_embeddings": True}, {"vocab_size": 6000, "tie_word_embeddings": True}),
        ("bfloat16", {"freeze_embeddings": True}, {"vocab_size": 6000, "tie_word_embeddings": True}),
        ("float32", {"micro_batch_tokens": 200}, {"vocab_size": 20000}),
        ("float32", {}, {"family": "qwen3", "vocab_size": 300}),
        ("float32", {}, {"family": "gemma3_text", "vocab_size": 300}),
    ],
    ids=str,
)
def test_a_students_step_needs_what_is_worked_out(
    precision: str, settings: dict[str, Any], shape: dict[str, Any]
) -> None:
    peak, measured = peak_of_student(training(precision=precision, **settings), **shape)
    assert peak.bytes == pytest.approx(measured + there_before(peak), rel=WITHIN)
    # Nor does what is there before hide the rest.
    assert peak.bytes - there_before(peak) == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize(("hidden", "vocabulary", "at"), [(128, 2000, "in the loss"), (2048, 300, "in a live teacher")])
def test_live_teachers_are_counted_in(hidden: int, vocabulary: int, at: str) -> None:
    teacher = Held(dimensions(hidden_size=hidden, head_dim=hidden // 4, vocab_size=vocabulary), 4)
    peak, measured = peak_of_student(training(), teacher, vocab_size=vocabulary)
    assert peak.at == at
    assert peak.bytes - there_before(peak) == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize(
    ("width", "vocabulary", "top_k", "temperatures"),
    [
        (4, 50, None, (1.0,)),
        (2, 50, 16, (2.0,)),
        (2, 6000, None, (1.0,)),
        (4, 6000, 16, (1.0,)),
        (4, 20000, None, (1.0, 2.0)),
        (2, 20000, 16, (2.0,)),
    ],
)
def test_targets_need_what_is_worked_out(
    width: int, vocabulary: int, top_k: int | None, temperatures: tuple[float, ...], tmp_path: Path
) -> None:
    d = dimensions(vocab_size=vocabulary)
    split, texts = a_split()
    _, largest = passes(texts, whole(texts), 2048)
    reader = model(d).to(torch.float32 if width == 4 else torch.bfloat16).eval()
    settings = TargetsSettings(top_k=top_k, temperatures=temperatures)
    measured = allocated_at_peak(
        lambda: write_targets(reader, split, settings, 2048, Vocabulary(vocabulary, 0), tmp_path, lambda done, of: None)
    )
    peak = reading(Held(d, width), vocabulary, largest, target_blocks(temperatures))
    # A GPU's results go to the processor's memory, which the profiler counts here, too.
    kept = 8 * top_k if top_k else 4 * vocabulary
    results = largest.responses * (kept + 4) if peak.at == "at the logits" else 0
    assert peak.bytes - there_before(peak) + results == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize("width", [4, 2])
@pytest.mark.parametrize("vocabulary", [50, 6000])
def test_scores_need_what_is_worked_out(width: int, vocabulary: int) -> None:
    d = dimensions(vocab_size=vocabulary)
    split, texts = a_split()
    _, largest = passes(texts, whole(texts), 2048)
    reader = model(d).to(torch.float32 if width == 4 else torch.bfloat16).eval()
    measured = allocated_at_peak(lambda: score(reader, split, 2048, Vocabulary(vocabulary, 0)))
    blocks = 2 if largest.responses * vocabulary <= CHUNK_ELEMENTS["cpu"] else score_blocks(width)
    peak = reading(Held(d, width), vocabulary, largest, blocks)
    assert peak.bytes - there_before(peak) == pytest.approx(measured, rel=WITHIN)
