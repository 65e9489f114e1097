"""What follows from looks at the validation split: whether a run goes on, and which of its models is its result.

Worked out each time from all that the looks saw, so that a resumed run decides as one that nothing interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clpd_bench.settings.looks import BestValidation, EarlyStopping

Seen = dict[str, float]
"""What a look saw: its step, and each metric."""


def best_look(seen: Sequence[Seen], wanted: BestValidation, end: int | None = None) -> Seen | None:
    """The best of the looks that are `wanted`'s, the earliest of equals; None where there is none yet.

    The model before its first step is no result of training, and one without a finite score none to choose.

    Args:
        seen: in the order of steps.
        end: the last step of the run, which is one of the looks; None while it goes on.
    """
    best: Seen | None = None
    for look in seen:
        step, value = int(look["step"]), look[wanted.metric]
        if step > 0 and (step % wanted.every == 0 or step == end) and math.isfinite(value):
            best = look if best is None or wanted.gain(value, best[wanted.metric]) > 0 else best
    return best


def last_gain(seen: Sequence[Seen], stopping: EarlyStopping) -> tuple[Seen, int]:
    """The last of `stopping`'s looks that was better than the best before it by more than `min_delta` (the look
    before the first step is the first), and how many of its looks have followed."""
    best, since = seen[0], 0
    for look in seen[1:]:
        if int(look["step"]) % stopping.every == 0:
            better = stopping.gain(look[stopping.metric], best[stopping.metric]) > stopping.min_delta
            best, since = (look, 0) if better else (best, since + 1)
    return best, since


def out_of_patience(seen: Sequence[Seen], stopping: EarlyStopping) -> bool:
    return last_gain(seen, stopping)[1] >= stopping.patience


def why_stopped(seen: Sequence[Seen], stopping: EarlyStopping) -> str:
    """A sentence about a run that was out of patience after the last of its looks."""
    best, since = last_gain(seen, stopping)
    by = f" by more than {stopping.min_delta:g}" if stopping.min_delta else ""
    return (
        f"stopped early, after step {seen[-1]['step']:.0f}: of the last {since} looks at the validation "
        f"{stopping.metric} none was better{by} than that of step {best['step']:.0f}, {best[stopping.metric]:.4g}"
    )
