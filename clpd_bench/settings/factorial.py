"""The 2 x 2 of order and teachers, whose interaction is a test."""

from __future__ import annotations

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.curriculum import EasyToHard, Shuffled, Strongest, WeakToStrong


def factorial_arms(ablation: Ablation) -> tuple[str, str, str, str] | None:
    """The arms that differ in nothing but {shuffled, easy_to_hard} x {strongest, weak_to_strong}, if all are
    there: neither curriculum, that of the data, that of the teachers, both."""
    corners: dict[tuple[type, type], str] = {}
    for name, arm in ablation.arms.items():
        if not arm.differs:
            corners.setdefault((type(arm.order), type(arm.teachers)), name)
    places = [(order, rule) for rule in (Strongest, WeakToStrong) for order in (Shuffled, EasyToHard)]
    if any(place not in corners for place in places):
        return None
    neither, data, teachers, both = (corners[place] for place in places)
    return neither, data, teachers, both


def compared_arms(ablation: Ablation) -> list[str]:
    """The baseline, the arms of the family, and of a declared interaction all four, in the file's order."""
    analysis = ablation.analysis
    corners = (factorial_arms(ablation) if "interaction" in analysis.family else None) or ()
    return [name for name in ablation.arms if name in {analysis.baseline, *analysis.family, *corners}]
