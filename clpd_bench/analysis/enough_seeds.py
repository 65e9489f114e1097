"""Whether the declared comparisons have seeds enough to find anything: the sentence that says they have not."""

from __future__ import annotations

from dataclasses import dataclass

from clpd_bench.analysis.power import detectable_effect

LARGE = 2.0
"""Standard deviations of the paired difference. A comparison that finds only more than that finds little."""


@dataclass(frozen=True)
class TooFew:
    """Attributes:
    what: what is wrong, a sentence without its final stop.
    fix: what to type, another.
    """

    what: str
    fix: str


def too_few_seeds(seeds: int, family: int, alpha: float) -> TooFew | None:
    """None where `seeds` find an effect of `LARGE` after Holm over a family of so many comparisons."""
    compared = f"{family} comparison{'s' if family > 1 else ''}"
    if seeds < 2:
        what = f"with 1 seed and {compared} nothing can be tested: a paired test needs 2 or more"
        return TooFew(what, "Add seeds, as in --set 'seeds=[0, 1, 2, 3, 4]'")
    # After Holm the smallest p is compared with this.
    strict = alpha / family
    least = detectable_effect(seeds, strict)
    if least <= LARGE:
        return None
    more = seeds + 2
    what = (
        f"with {seeds} seeds and {compared} only differences of more than {least:.1f} standard deviations (of the "
        f"difference between two arms at one seed) are found in 80 % of cases"
    )
    fix = f"{more} seeds would find {detectable_effect(more, strict):.1f}: --set 'seeds={list(range(more))}'"
    return TooFew(what, fix)
