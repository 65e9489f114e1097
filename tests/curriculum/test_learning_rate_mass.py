"""How much of the learning rate each stage and teacher gets, against sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clpd_bench.curriculum import Streams, build_schedule, exposure
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.stages import stage_bounds
from clpd_bench.settings.parts.loss import ForwardKl
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import Supervision


def rate(step: int, steps: int, peak: float, warmup: int, decay_steps: int) -> float:
    """Warm-up through `warmup` equal rises to the peak, flat, then a line to zero one step behind the end."""
    up = peak * min(step, warmup + 1) / (warmup + 1)
    down = peak * min(steps + 1 - step, decay_steps + 1) / (decay_steps + 1)
    return min(up, down)


@pytest.mark.parametrize(("warmup", "fraction"), [(0, 0.0), (5, 0.0), (0, 0.2), (5, 0.2), (0, 1.0), (30, 0.5)])
def test_learning_rate_warms_up_stays_and_falls_to_zero(warmup: int, fraction: float) -> None:
    training = Training(steps=40, learning_rate=0.3, warmup_steps=warmup, decay_fraction=fraction)
    got = [training.learning_rate_at(s, 40) for s in range(1, 41)]
    assert got == pytest.approx([rate(s, 40, 0.3, warmup, round(fraction * 40)) for s in range(1, 41)])
    assert min(got) > 0  # no step is wasted


@pytest.mark.parametrize(("stages", "teachers"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_learning_rate_mass_by_stage_and_teacher_is_the_sum_over_its_steps(stages: int, teachers: int) -> None:
    n, steps = 40, 23
    training = Training(steps=steps, learning_rate=0.3, warmup_steps=4, decay_fraction=0.3)
    supervision = Supervision(
        loss=ForwardKl(name="forward_kl"), order=Shuffled(name="shuffled"), stages=stages, teachers=teachers
    )
    ids, tokens = np.array([f"{i:02d}" for i in range(n)]), np.arange(n) % 5 + 3
    schedule = build_schedule(ids, tokens, None, supervision, training, Streams(0))
    shown = exposure(schedule, np.ones(n, dtype=int), None, tokens, tokens, training, stages)
    total = math.fsum(rate(s, steps, 0.3, 4, 7) for s in range(1, steps + 1))
    by_stage, by_teacher = dict.fromkeys(range(1, stages + 1), 0.0), dict.fromkeys(range(1, teachers + 1), 0.0)
    for k, (first, last) in enumerate(stage_bounds(steps, stages), start=1):
        mass = math.fsum(rate(s, steps, 0.3, 4, 7) for s in range(first, last + 1)) / total
        by_stage[k] += mass
        by_teacher[math.ceil(k * teachers / stages)] += mass
    assert shown.learning_rate_by_stage == pytest.approx(by_stage)
    assert shown.learning_rate_by_teacher == pytest.approx(by_teacher)
    assert sum(shown.learning_rate_by_stage.values()) == pytest.approx(1)


def test_a_step_with_two_teachers_splits_its_learning_rate_by_tokens() -> None:
    """Not by presentations, of which each has one in the first step."""
    tokens = np.array([6, 2, 4])
    schedule = Schedule(
        np.array(["a", "b", "c"]),
        examples=np.array([0, 1, 2]),
        step=np.array([1, 1, 2]),
        teacher=np.array([1, 2, 2]),
        stage=np.array([1, 1]),
    )
    training = Training(steps=2, learning_rate=0.3, warmup_steps=1)
    shown = exposure(schedule, np.ones(3, dtype=int), None, tokens, tokens, training, stages=1)
    first, second = rate(1, 2, 0.3, 1, 0), rate(2, 2, 0.3, 1, 0)
    assert first < second
    by_teacher = {1: first * 6 / 8, 2: first * 2 / 8 + second}
    assert shown.learning_rate_by_teacher == pytest.approx({t: m / (first + second) for t, m in by_teacher.items()})
