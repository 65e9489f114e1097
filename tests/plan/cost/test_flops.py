"""FLOPs worked out beforehand against those that torch's counter counts while the jobs' own code runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from measured import Student, a_split, counted_flops, dimensions, model

from clpd_bench.costs.inputs import passes, whole
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.targets import write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.flops.passes import forward, total, training
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings
from clpd_bench.settings.parts.training import Training

CE, KL = CrossEntropy(name="cross_entropy"), ForwardKl(name="forward_kl")
WITHIN = 0.05
EXAMPLES = 8


def expected_of_step(d: Dimensions, settings: Training) -> float:
    """A step over all examples, without what the counter does not see (see `counted_flops`)."""
    _, texts = a_split(EXAMPLES)
    read, _ = passes(texts, whole(texts), settings.micro_batch_tokens)
    tied_and_frozen = settings.freeze_embeddings and d.tie_word_embeddings
    terms = training(d, d.vocab_size, read, "", settings.activation_checkpointing, tied_and_frozen)
    unseen = 2 * d.vocab_size * d.hidden_size * read.responses
    return total(terms) - (unseen if settings.precision == "float32" and not tied_and_frozen else 0)


@pytest.mark.parametrize(
    ("family", "recomputed", "precision"),
    [
        ("llama", False, "float32"),
        ("llama", True, "bfloat16"),
        ("qwen2", False, "bfloat16"),
        ("qwen2", True, "float32"),
        ("qwen3", True, "float32"),
        ("gemma3_text", False, "float32"),
        ("gemma3_text", True, "float32"),
    ],
)
def test_a_students_step_costs_what_is_counted(family: str, recomputed: bool, precision: str) -> None:
    settings = Training(
        steps=1,
        learning_rate=1e-3,
        micro_batch_tokens=512,
        activation_checkpointing=recomputed,
        precision=precision,  # type: ignore[arg-type]
    )
    d = dimensions(family)
    student = Student(d, a_split(EXAMPLES)[0], settings, CE, [])
    assert counted_flops(student.step) == pytest.approx(expected_of_step(d, settings), rel=WITHIN)


def test_a_frozen_tied_head_is_spared_its_gradient() -> None:
    settings = Training(steps=1, learning_rate=1e-3, micro_batch_tokens=512, freeze_embeddings=True)
    d = dimensions(tie_word_embeddings=True, vocab_size=8000)
    student = Student(d, a_split(EXAMPLES)[0], settings, CE, [])
    assert counted_flops(student.step) == pytest.approx(expected_of_step(d, settings), rel=WITHIN)


def test_a_live_teacher_costs_a_forward_pass_over_what_it_supervises() -> None:
    settings = Training(steps=1, learning_rate=1e-3, micro_batch_tokens=512)
    d, of_teacher = dimensions(), dimensions(hidden_size=128, num_hidden_layers=5, head_dim=32)
    split, texts = a_split(EXAMPLES)
    read, _ = passes(texts, whole(texts), settings.micro_batch_tokens)
    student = Student(d, split, settings, KL, [LiveTeacher(model(of_teacher), d.vocab_size, 1.0)])
    beside = total(forward(of_teacher, d.vocab_size, read, ""))
    assert beside > expected_of_step(d, settings) / 2
    assert counted_flops(student.step) == pytest.approx(expected_of_step(d, settings) + beside, rel=WITHIN)


@pytest.mark.parametrize(
    ("family", "batch_tokens"), [("llama", 2048), ("qwen2", 200), ("qwen3", 200), ("gemma3_text", 200)]
)
def test_targets_and_scores_cost_a_forward_pass(family: str, batch_tokens: int, tmp_path: Path) -> None:
    d = dimensions(family)
    split, texts = a_split(EXAMPLES)
    read, _ = passes(texts, whole(texts), batch_tokens)
    expected = total(forward(d, d.vocab_size, read, ""))
    reader = model(d).eval()

    def targets() -> None:
        write_targets(
            reader,
            split,
            TargetsSettings(top_k=8),
            batch_tokens,
            Vocabulary(d.vocab_size, 0),
            tmp_path,
            lambda done, of: None,
        )

    assert counted_flops(targets) == pytest.approx(expected, rel=WITHIN)
    assert counted_flops(lambda: score(reader, split, batch_tokens, Vocabulary(d.vocab_size, 0))) == pytest.approx(
        expected, rel=WITHIN
    )


def test_attention_and_head_are_a_part_that_would_be_missed() -> None:
    """Else the tests above would not see whether they are counted."""
    _, texts = a_split(EXAMPLES)
    d = dimensions()
    read, _ = passes(texts, whole(texts), 512)
    layers, attention, head = (term.value for term in forward(d, d.vocab_size, read, ""))
    assert min(attention, head) > 2 * WITHIN * (layers + attention + head)


def test_the_head_counts_response_tokens_alone() -> None:
    split, texts = a_split(EXAMPLES)
    read, _ = passes(texts, whole(texts), 512)
    assert read.responses == split.responses.lengths.sum() < read.tokens
