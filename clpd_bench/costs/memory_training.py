"""Bytes of tensors on a device at the peak of a training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clpd_bench.costs.memory import (
    Held,
    Peak,
    backward_of_layer,
    chunk_rows,
    largest_of,
    logits_of_chunk,
    saved_at_border,
    saved_of_last_norm,
    saved_of_layer,
    weights,
    working_set,
)
from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.passes import Term, term
from clpd_bench.flops.sizes import FLOAT, HALF
from clpd_bench.flops.tokens import Largest
from clpd_bench.settings.parts.dimensions import Dimensions


@dataclass(frozen=True)
class Step:
    """What a training step is like.

    Attributes:
        bfloat16: whether the step computes in it, with float32 masters.
        recomputed: whether layers are computed again for their gradients (activation checkpointing).
        frozen: whether the input embeddings, and a head tied to them, are not trained.
        blocks: of a chunk's logits in float32 that the loss holds at a time, see `loss_blocks`.
    """

    bfloat16: bool
    recomputed: bool
    frozen: bool
    blocks: int


def training_step(d: Dimensions, vocabulary: int, largest: Largest, step: Step, teachers: Sequence[Held]) -> Peak:
    """Args:
    teachers: that run beside the student.
    """
    width = HALF if step.bfloat16 else FLOAT
    p = parameters(d)
    trained = p.without_embedding if step.frozen else p.total
    always = [weights(Held(d, width), "weights")]
    if step.bfloat16:
        always.append(term("float32 masters", (trained, "weights"), (FLOAT, "bytes")))
    always.append(term("AdamW's moments", (trained, "weights"), (2 * FLOAT, "bytes")))
    always += [weights(teacher, f"weights of live teacher {m}") for m, teacher in enumerate(teachers, start=1)]
    gradients = [term("gradients", (trained, "weights"), (FLOAT, "bytes"))]
    earlier = gradients if largest.several else []
    saved = [_saved(d, width, largest, step.recomputed)]
    norm = term("activations of the last norm", (largest.tokens, "tokens"), (saved_of_last_norm(d, width), "bytes"))
    head = _head_gradient(d, vocabulary, step.frozen)
    peaks = [
        Peak(
            "in the loss",
            (*always, *earlier, *saved, norm, *_loss(d, width, vocabulary, largest, step, teachers), *head),
        ),
        Peak("in the last layer's backward", (*always, *earlier, *saved, *_backward(d, width, largest, step), *head)),
        Peak(
            "at the embeddings' gradient", (*always, *gradients, *_embeddings(d, step.frozen, largest.several), *head)
        ),
        Peak("in the optimizer", (*always, *gradients)),
    ]
    for m, teacher in enumerate(teachers, start=1):
        size = working_set(teacher.dimensions, teacher.width)
        layer = term(f"working set of live teacher {m}", (largest.tokens, "tokens"), (size, "bytes"))
        peaks.append(Peak("in a live teacher", (*always, *earlier, layer)))  # before the student reads
    return largest_of(peaks)


def _saved(d: Dimensions, width: int, largest: Largest, recomputed: bool) -> Term:
    of_layer = saved_at_border(d, width) if recomputed else saved_of_layer(d, width)
    return term("activations", (d.num_hidden_layers, "layers"), (largest.tokens, "tokens"), (of_layer, "bytes"))


def _loss(
    d: Dimensions, width: int, vocabulary: int, largest: Largest, step: Step, teachers: Sequence[Held]
) -> list[Term]:
    rows = chunk_rows(vocabulary, largest.responses)
    responses = (largest.responses, "response tokens")
    states = [term("hidden states and their gradient", responses, (2 * d.hidden_size * width, "bytes"))]
    states += [
        term(f"hidden states of live teacher {m}", responses, (t.dimensions.hidden_size * t.width, "bytes"))
        for m, t in enumerate(teachers, start=1)
    ]
    return [*states, logits_of_chunk(rows, vocabulary, step.blocks)]


def _backward(d: Dimensions, width: int, largest: Largest, step: Step) -> list[Term]:
    tokens = (largest.tokens, "tokens")
    flowing = term("gradients of activations", tokens, (backward_of_layer(d, width), "bytes"))
    if not step.recomputed:
        return [flowing]
    return [term("a layer's activations, recomputed", tokens, (saved_of_layer(d, width), "bytes")), flowing]


def _head_gradient(d: Dimensions, vocabulary: int, frozen: bool) -> list[Term]:
    """The head's own, in float32, before it is added to the others."""
    if frozen and d.tie_word_embeddings:
        return []
    return [term("the head's gradient", (vocabulary * d.hidden_size, "weights"), (FLOAT, "bytes"))]


def _embeddings(d: Dimensions, frozen: bool, several: bool) -> list[Term]:
    """That of the embeddings has a row for every token, and is added to what there is."""
    if frozen or not (d.tie_word_embeddings or several):
        return []
    return [term("the embeddings' gradient", (parameters(d).embedding, "weights"), (FLOAT, "bytes"))]
