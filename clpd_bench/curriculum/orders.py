"""Orders of the data: sequences of presentations, as positions in the corpus.

Every order draws from the stream `order`, so that orders which share a pacing share its draws;
what a control permutes on top has a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.buckets import difficulty_buckets
from clpd_bench.curriculum.material import Material, Sequence
from clpd_bench.curriculum.pacings import PACINGS, shuffled
from clpd_bench.curriculum.steps import assign_steps
from clpd_bench.settings.specs import Supervision

Ints = NDArray[np.int64]


def sequence(supervision: Supervision, material: Material) -> Sequence:
    """The presentations of a run, in order, each with its step."""
    return ORDERS[supervision.order.name](supervision, material)


def _stepped(examples: Ints, material: Material) -> Sequence:
    return Sequence(examples, assign_steps(material.tokens[examples], material.steps))


def _paced(buckets: Ints, supervision: Supervision, material: Material) -> Sequence:
    """The pacing over `buckets`, numbered as the stages open them."""
    pacing = supervision.pacing
    assert pacing
    rng = material.streams.generator("order")
    return _stepped(PACINGS[pacing.name](pacing, buckets, material.tokens, material.epochs, rng), material)


def _shuffled(supervision: Supervision, material: Material) -> Sequence:
    return _stepped(shuffled(len(material.ids), material.epochs, material.streams.generator("order")), material)


def _easy_to_hard(supervision: Supervision, material: Material) -> Sequence:
    return _paced(material.buckets(supervision.stages), supervision, material)


def _hard_to_easy(supervision: Supervision, material: Material) -> Sequence:
    buckets = material.buckets(supervision.stages)
    return _paced(buckets.max() + 1 - buckets, supervision, material)


def _random_stages(supervision: Supervision, material: Material) -> Sequence:
    """Difficulty counts for nothing here, so the job has none."""
    assert supervision.stages
    ranks = material.streams.generator("ranks").permutation(len(material.ids)).astype(np.float64)
    return _paced(difficulty_buckets(material.ids, ranks, material.tokens, supervision.stages), supervision, material)


def _shuffled_stages(supervision: Supervision, material: Material) -> Sequence:
    buckets = material.buckets(supervision.stages)
    turns = material.streams.generator("stages").permutation(int(buckets.max())) + 1
    return _paced(turns[buckets - 1], supervision, material)


def _permuted(supervision: Supervision, material: Material) -> Sequence:
    assert supervision.order_of
    examples = sequence(supervision.order_of, material).examples
    rng = material.streams.generator("permutation", _depth(supervision))
    return _stepped(rng.permutation(examples), material)


def _depth(supervision: Supervision) -> int:
    """A permutation of a permutation must not be by the same draws."""
    return 1 + _depth(supervision.order_of) if supervision.order_of else 0


def _homogeneous(supervision: Supervision, material: Material) -> Sequence:
    """Batches move whole: each keeps its presentations, and so its tokens, and gets another step."""
    ordered = _easy_to_hard(supervision, material)
    moved_to = material.streams.generator("permutation").permutation(material.steps) + 1
    step = moved_to[ordered.step - 1]
    by_step = np.argsort(step, kind="stable")
    return Sequence(ordered.examples[by_step], step[by_step])


ORDERS: dict[str, Callable[[Supervision, Material], Sequence]] = {
    "shuffled": _shuffled,
    "easy_to_hard": _easy_to_hard,
    "hard_to_easy": _hard_to_easy,
    "random_stages": _random_stages,
    "shuffled_stages": _shuffled_stages,
    "permuted": _permuted,
    "homogeneous": _homogeneous,
}
