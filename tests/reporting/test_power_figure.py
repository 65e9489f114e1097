"""The picture of power shows what is computed, at the level that the family is held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clpd_bench.analysis.power import found
from clpd_bench.grid.load import load_ablation
from clpd_bench.report.figures.power import power_figure
from clpd_bench.report.figures.style import styled
from clpd_bench.results.power import EFFECTS, declared_spread, power_summary

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


def summary(*sets: str) -> dict[str, Any]:
    ablation = load_ablation(SMALL, list(sets))
    return power_summary(ablation, declared_spread(ablation), None)


@pytest.mark.parametrize("family", [["clpd"], ["data_ordering", "clpd", "interaction"]], ids=len)
def test_each_effect_is_a_curve_of_computed_power(family: list[str]) -> None:
    with styled():
        axes = power_figure(summary(f"analysis.family=[{', '.join(family)}]")).axes[0]
    drawn = {line.get_gid(): line for line in axes.lines if line.get_gid()}
    assert list(drawn) == [f"effect:{effect:g}" for effect in EFFECTS]
    for effect, line in zip(EFFECTS, drawn.values(), strict=True):
        seeds, heights = [int(x) for x in line.get_xdata()], list(line.get_ydata())
        assert heights == pytest.approx([found(effect, n, 0.05 / len(family)) for n in seeds])
        assert seeds[0] == 2
    assert len(axes.lines) - len(drawn) == 2 + (len(EFFECTS) if len(family) > 1 else 0)  # 80 %, declared, alone


def test_the_declared_seeds_are_always_in_the_picture() -> None:
    with styled():
        axes = power_figure(summary(f"seeds={list(range(40))}")).axes[0]
    assert axes.get_xlim()[1] >= 40


def test_effects_are_named_in_the_metrics_unit_where_the_spread_is_known() -> None:
    with styled():
        legend = power_figure(summary("analysis.spread=0.004")).legends[0]
    assert "1 sd = 0.0040" in [text.get_text() for text in legend.get_texts()]
