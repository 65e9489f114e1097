"""Figures: one look an arm, every seed drawn, nothing overlaps, legible at a column's width."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabricated_report import EVIL, SEEDS, World
from figure_text import check_legible
from matplotlib.artist import Artist
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from clpd_bench.analysis.comparisons import compare
from clpd_bench.analysis.series import METRICS, metric_series
from clpd_bench.report.figures import cost as cost_figure
from clpd_bench.report.figures import differences, difficulty, schedule, scores, training
from clpd_bench.report.figures.draw import NAMES, SECONDARY
from clpd_bench.report.figures.style import STANDARD, arm_styles, shortened, styled
from clpd_bench.results.collect import collect_items, declared, factorial, means_by_seed
from clpd_bench.results.curves import trained
from clpd_bench.results.schedules import arm_schedules
from clpd_bench.results.spent import cost

ALWAYS = [name for name in NAMES if not name.startswith(SECONDARY) and name != "capacity_gap"]
"""Those that any ablation's primary result has."""


@pytest.fixture(scope="module")
def figures(world: World) -> dict[str, Figure]:
    ablation, plan, store = world.ablation, world.plan, world.store
    items, _ = collect_items(plan, store)
    comparisons = compare(items, declared(ablation), factorial(ablation))
    series, arms = metric_series(items)[::-1], list(ablation.arms)
    schedules, _ = arm_schedules(ablation, plan, store)
    with styled():
        found = {
            "scores": scores.scores(items, series, arms, ["student before", "teacher small", "teacher large"]),
            "differences": differences.differences(comparisons, series, arms, ablation.analysis.family),
            "difficulty": difficulty.difficulty(items, series, arms),
            "cost": cost_figure.cost(cost(plan, store).arms, series[0], means_by_seed(items, series[0]), arms),
            "training": training.training(trained(plan, store, schedules).curves),
            "schedule": schedule.schedule(schedules, ablation.teachers),
        }
        for figure in found.values():
            figure.draw_without_rendering()
    return found


def artists(figure: Figure, gid: str) -> list[Artist]:
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def test_an_arm_has_one_colour_in_all_figures_and_on_the_page(
    figures: dict[str, Figure], world: World, folder: Path
) -> None:
    seen: dict[str, set[str]] = {}
    for name, figure in figures.items():
        for arm in world.ablation.arms:
            found = artists(figure, f"arm:{arm}")
            assert found or (name == "differences" and arm == "standard_kd"), (name, arm)
            seen.setdefault(arm, set()).update(to_hex(a.get_color()).upper() for a in found if isinstance(a, Line2D))
    assert {arm: len(colors) for arm, colors in seen.items()} == dict.fromkeys(world.ablation.arms, 1)
    assert len({next(iter(colors)) for colors in seen.values()}) == len(seen)
    html = (folder / "report.html").read_text()
    assert all(f"background:{next(iter(colors))}" in html for colors in seen.values())


def test_standard_looks_are_fixed_and_arms_differ_without_colour() -> None:
    many = arm_styles(["b", "clpd", "a", "sft", "c"])
    assert {name: many[name] for name in ("clpd", "sft")} == {name: STANDARD[name] for name in ("clpd", "sft")}
    assert arm_styles(["b", "a"])["b"] == many["b"]
    everything = arm_styles([*STANDARD, *"abcdefg"]).values()
    assert len({(style.marker, style.line, style.width) for style in everything}) == len(everything)
    assert len({style.marker for style in everything}) == len(everything)


def test_every_seed_of_every_arm_is_drawn(figures: dict[str, Figure], world: World) -> None:
    for arm in world.ablation.arms:
        dots = artists(figures["scores"], f"seeds:{arm}")
        assert len(dots) == 2  # the metrics that the fabricated evaluations have
        for dot in dots:
            assert isinstance(dot, PathCollection)
            assert len(dot.get_offsets()) == SEEDS


@pytest.mark.parametrize("name", ALWAYS)
def test_text_is_legible_inside_the_figure_and_overlaps_nothing(figures: dict[str, Figure], name: str) -> None:
    check_legible(figures[name])


def test_names_are_drawn_as_they_are(figures: dict[str, Figure]) -> None:
    labels = [text.get_text() for text in figures["scores"].findobj(Text) if isinstance(text, Text)]
    assert shortened(EVIL) in labels
    assert len(shortened("x" * 99)) == 24


def test_every_metric_has_a_range() -> None:
    assert difficulty.METRIC_RANGES.keys() == METRICS.keys()


def test_a_running_mean_keeps_length_and_level() -> None:
    import numpy as np

    assert training.running_mean(np.full(9, 3.0), 4).tolist() == [3.0] * 9
    assert training.running_mean(np.arange(5.0), 3).tolist() == [0.5, 1, 2, 3, 3.5]
    assert training.running_mean(np.arange(5.0), 1).tolist() == [0, 1, 2, 3, 4]
