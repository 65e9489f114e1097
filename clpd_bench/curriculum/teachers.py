"""Teacher rules: who supervises each presentation. 1 = weakest .. M, 0 = nobody (cross-entropy)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clpd_bench.curriculum.material import Material, Sequence
from clpd_bench.curriculum.orders import sequence
from clpd_bench.curriculum.plugin_rules import own_teachers
from clpd_bench.curriculum.stages import stage_of_step, teacher_of_stage
from clpd_bench.settings.parts.teacher_rules import TeacherRulePlugin
from clpd_bench.settings.specs import Supervision

Ints = NDArray[np.int64]


def teachers(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    """Shape [P]: the teacher of each presentation. Without a rule: none, or by stage as weak_to_strong,
    which one teacher alone makes one throughout."""
    name = supervision.rule.name if supervision.rule else "weak_to_strong" if supervision.teachers else "none"
    return TEACHER_RULES[name](supervision, material, shown)


def _by_stage(of_stage: list[int], material: Material, shown: Sequence) -> Ints:
    stage = stage_of_step(material.steps, len(of_stage))
    return np.array(of_stage, dtype=np.int64)[stage - 1][shown.step - 1]


def _none(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return np.zeros(len(shown.examples), dtype=np.int64)


def _one(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return np.ones(len(shown.examples), dtype=np.int64)


def _seated(supervision: Supervision) -> list[int]:
    """The teacher of each stage under weak_to_strong."""
    stages = supervision.stages or 1
    return [teacher_of_stage(k, supervision.teachers, stages) for k in range(1, stages + 1)]


def _weak_to_strong(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return _by_stage(_seated(supervision), material, shown)


def _strong_to_weak(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return _by_stage(_seated(supervision)[::-1], material, shown)


def _random(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return material.streams.generator("teachers").permutation(_weak_to_strong(supervision, material, shown))


def _by_difficulty(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    """An example's teachers in the other run, in random turn, at the times at which it is shown here."""
    assert supervision.teachers_of
    other = sequence(supervision.teachers_of, material)
    assert np.array_equal(np.sort(other.examples), np.sort(shown.examples)), "not the same presentations"
    mixed = material.streams.generator("teachers").permutation(len(other.examples))
    theirs = mixed[np.argsort(other.examples[mixed], kind="stable")]
    out = np.empty(len(shown.examples), dtype=np.int64)
    out[np.argsort(shown.examples, kind="stable")] = teachers(supervision.teachers_of, material, other)[theirs]
    return out


def _anti_aligned(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    of_bucket = np.array(_seated(supervision)[::-1], dtype=np.int64)
    return of_bucket[material.buckets(supervision.stages) - 1][shown.examples]


def _last_teacher(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    return _by_stage([*[0] * ((supervision.stages or 1) - 1), supervision.teachers], material, shown)


def _own(supervision: Supervision, material: Material, shown: Sequence) -> Ints:
    assert isinstance(supervision.rule, TeacherRulePlugin)
    return _by_stage(own_teachers(supervision.rule, supervision.stages or 1, supervision.teachers), material, shown)


TEACHER_RULES: dict[str, Callable[[Supervision, Material, Sequence], Ints]] = {
    "none": _none,
    "strongest": _one,
    "only": _one,
    "weak_to_strong": _weak_to_strong,
    "strong_to_weak": _strong_to_weak,
    "random": _random,
    "by_difficulty": _by_difficulty,
    "anti_aligned": _anti_aligned,
    "last_teacher": _last_teacher,
    "plugin": _own,
}
