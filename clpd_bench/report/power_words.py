"""Sentences and cells about power, for `clpd plan` and power.md alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clpd_bench.analysis.power import MOST_SEEDS
from clpd_bench.results.power import INTERACTION_SPREAD
from clpd_bench.tables.rounding import UNITS, decimals, duration

NO_COST = "unknown until a cell has finished"


def claim(power: Mapping[str, Any]) -> str:
    """What is computed, with its correction."""
    family, alpha = power["comparisons"], power["alpha"]
    corrected = f"alpha / {family} as the worst of {family} under Holm" if family > 1 else "one comparison"
    return f"two-sided paired t over seeds on {power['benchmark']} {power['metric']}, alpha {alpha:g}, {corrected}"


def spread_text(power: Mapping[str, Any]) -> str:
    """The standard deviation of a paired difference, and where it is from."""
    spread = power["spread"]
    if spread is None:
        return "unknown, effects are in units of it (sd): declare analysis.spread, or let two arms finish two seeds"
    known = f"{amount(spread['sd'], power['metric'])} {unit(power['metric'])}"
    if spread["source"] == "declared":
        return f"{known}, declared as analysis.spread"
    low, high = (amount(spread[end], power["metric"], spread["sd"]) for end in ("low", "high"))
    return (
        f"{known}, 95% interval {low} to {high}, blinded: of {spread['arms']} arms x {spread['seeds']} seeds together, "
        "no difference looked at"
    )


def finds_text(power: Mapping[str, Any]) -> str:
    """The smallest difference that the declared seeds find."""
    seeds, least = power["seeds"], power["detectable"]
    said = f"with {seeds} seeds, in {power['power'] * 100:.0f} % of cases, {effect_text(least['alone'], power)}"
    if power["comparisons"] > 1:
        said += f" alone, {effect_text(least['worst'], power)} as the {worst(power)}"
    if power["interaction"]:
        said += f"; the sd of an interaction, and so what is found of it, is {INTERACTION_SPREAD:.2f} times as large"
    return said


def cost_text(power: Mapping[str, Any]) -> str:
    """What one more seed of every arm costs."""
    cost = power["one_more_seed"]
    return NO_COST if cost is None else f"{cost_of(cost['seconds'], cost['device'])}, by finished jobs like its own"


def worst(power: Mapping[str, Any]) -> str:
    return f"worst of {power['comparisons']}"


def levels(power: Mapping[str, Any]) -> dict[str, str]:
    """{name in the summary: heading} of the tests whose power is told."""
    return {"alone": "alone", "worst": worst(power)} if power["comparisons"] > 1 else {"alone": "one test"}


def effect_text(effect: Mapping[str, Any], power: Mapping[str, Any]) -> str:
    """`0.0060 nats a token (1.16 sd)`, or `1.16 sd` where the sd is not known."""
    if effect["difference"] is None:
        return f"{effect['d_z']:.2f} sd"
    return f"{amount(effect['difference'], power['metric'])} {unit(power['metric'])} ({effect['d_z']:.2f} sd)"


def amount(value: float, metric: str, like: float | None = None) -> str:
    """Two significant digits of `like`, or of itself, in the unit that people read."""
    scale = UNITS[metric].scale
    return f"{value * scale:.{decimals((like or value) * scale, UNITS[metric].decimals)}f}"


def unit(metric: str) -> str:
    return UNITS[metric].difference


def percent(power: float) -> str:
    """`81 %`; never 100, which no test has."""
    return "> 99 %" if power > 0.99 else f"{power * 100:.0f} %"


def count(seeds: int | None) -> str:
    return f"> {MOST_SEEDS}" if seeds is None else str(seeds)


def cost_of(seconds: float, device: str) -> str:
    """Hours of GPUs where all students were trained on them."""
    if device != "gpu":
        return duration(seconds)
    hours = seconds / 3600
    return f"{hours:.{decimals(hours, 1) if hours < 10 else 0}f} GPU-hours"
