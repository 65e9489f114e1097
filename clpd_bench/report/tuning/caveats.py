"""What each sentence of a verdict must say of tuning: the finding is one about arms with these learning rates."""

from __future__ import annotations

from clpd_bench.grid.points import short_names
from clpd_bench.grid.tuned import TunedPoint
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.rules.analysis import compared_arms

LEARNING_RATE = "student.training.learning_rate"


def caveats(ablation: Ablation, tuned: TunedPoint | None) -> list[str]:
    """Clauses on compared arms: what they were tuned over, where that was not the learning rate how they came by
    theirs, and which chosen values are at an end of what was tried.

    Args:
        ablation: one point's.
        tuned: what was tuned there; a setting with but one value to try was not.
    """
    names = compared_arms(ablation)
    mine = {name: tuned.arms[name] for name in names if name in tuned.arms} if tuned else {}
    over = [key for key, values in tuned.tune.space.items() if len(values) > 1] if tuned and mine else []
    if not tuned or not over:
        return [f"{_rates(ablation, names)}, not tuned"]
    left = [name for name in names if name not in mine]
    keys = ", ".join(over)
    told = (
        f"tuned over {keys} in {', '.join(mine)}, not in {', '.join(left)}" if left else f"each arm tuned over {keys}"
    )
    return [*([] if LEARNING_RATE in over else [_rates(ablation, names)]), told, *_edges(tuned, names)]


def _rates(ablation: Ablation, names: list[str]) -> str:
    rates = {name: resolve(ablation, name).student.training.learning_rate for name in ablation.arms}
    if len({*rates.values()}) == 1:
        return "at one learning rate for all arms"
    one = len({rates[name] for name in names}) == 1
    return "at one learning rate for all compared arms" if one else "at learning rates set by hand"


def _edges(tuned: TunedPoint, names: list[str]) -> list[str]:
    """`clpd's learning rate is the largest that was tried`; arms at the same end stand together."""
    called = short_names(tuned.tune.space)
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        for key in tuned.arms[name].edges if name in tuned.arms else ():
            end = "largest" if tuned.arms[name].chosen[key] == max(tuned.tune.space[key]) else "smallest"
            found.setdefault((called[key].replace("_", " "), end), []).append(name)
    return [
        f"{'every arm' if arms == names else ', '.join(arms)}'s {key} is the {end} that was tried"
        for (key, end), arms in found.items()
    ]
