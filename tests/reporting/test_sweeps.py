"""Sweeps: each panel has one axis and everything else fixed, and shows what the points' own reports say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fabricated_report import SEEDS, World
from figure_text import check_legible
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from clpd_bench.analysis.series import Series
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import point_plans
from clpd_bench.plan.plan import PointPlan
from clpd_bench.report.figures.style import NothingToDraw, styled
from clpd_bench.report.figures.sweep import sweep as draw_sweep
from clpd_bench.report.several.points import write_reports
from clpd_bench.results.sweeps import MOST_PANELS, Sweep, ValueScores, sweeps

STRENGTH, EPOCHS, DIFFICULTY = "curriculum.pacing.strength", "student.training.epochs", "curriculum.difficulty"
SERIES = Series("sums", "response_loss", "none", "response_loss")
SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"


def planned(**grid: str) -> list[PointPlan]:
    return point_plans(load_ablation(SMALL, [f"{name}={value}" for name, value in grid.items()]), SMALL)


def scored(points: list[PointPlan]) -> dict[str, dict[tuple[str, str], dict[int, float]]]:
    """A different score at each point."""
    return {
        one.point.label: {("arm", arm): {seed: i + 0.1 * seed for seed in (0, 1)} for arm in one.point.ablation.arms}
        for i, one in enumerate(points)
    }


def drawn(of: Sweep, arms: list[str]) -> Figure:
    with styled():
        figure = draw_sweep(of, SERIES, arms)
        figure.draw_without_rendering()
        check_legible(figure)
    return figure


def test_a_panel_fixes_all_other_axes() -> None:
    points = planned(axes=f"{{{STRENGTH}: [1, 0.3], {EPOCHS}: [2, 4]}}")
    found = {one.name: one for one in sweeps(points, scored(points))}
    assert found.keys() == {"strength", "epochs"}
    assert [panel.fixed for panel in found["strength"].panels] == ["epochs=2", "epochs=4"]
    assert [panel.fixed for panel in found["epochs"].panels] == ["strength=1", "strength=0.3"]
    for panel in found["strength"].panels:
        assert [place.value for place in panel.places] == [0.3, 1]  # ascending, whatever the file's order
    at = scored(points)["[strength=0.3,epochs=4]"]
    assert found["strength"].panels[1].places[0] == ValueScores(0.3, at)


def test_what_varies_one_at_a_time_has_the_files_own_value_among_its_values() -> None:
    points = planned(one_at_a_time=f"{{{STRENGTH}: [0.3, 1], {DIFFICULTY}: ['cot_steps:lines']}}")
    found = {one.name: one for one in sweeps(points, scored(points))}
    (strength,) = found["strength"].panels
    assert [place.value for place in strength.places] == [0.3, 0.6, 1]
    assert strength.places[1].scores == scored(points)[""]
    (difficulty,) = found["difficulty"].panels
    assert len(difficulty.places) == 2
    assert found["strength"].is_numeric
    assert not found["difficulty"].is_numeric


def test_a_value_that_the_file_lacks_makes_an_axis_of_names() -> None:
    points = planned(one_at_a_time="{student.initial.intermediate_size: [60], student.training.epochs: [4]}")
    found = {one.name: one for one in sweeps(points, scored(points))}
    assert [place.value for place in found["epochs"].panels[0].places] == [2, 4]
    assert [place.value for place in found["intermediate_size"].panels[0].places] == [None, 60]
    assert not found["intermediate_size"].is_numeric


def test_a_point_without_outcomes_is_no_place() -> None:
    points = planned(axes=f"{{{STRENGTH}: [0.3, 0.6, 1]}}")
    scores = scored(points)
    scores["[strength=0.6]"] = {}
    (one,) = sweeps(points, scores)
    assert [place.value for place in one.panels[0].places] == [0.3, 1]
    (bare,) = sweeps(points, {"[strength=1]": scores["[strength=1]"]})
    with pytest.raises(NothingToDraw, match="fewer than two"):
        drawn(bare, ["clpd"])


def test_more_panels_than_a_figure_holds_are_refused_with_a_way_out() -> None:
    points = planned(axes=f"{{{STRENGTH}: [0.3, 1], {EPOCHS}: [2, 3, 4, 5, 6]}}")
    found = {one.name: one for one in sweeps(points, scored(points))}
    assert len(found["strength"].panels) == MOST_PANELS + 1
    with pytest.raises(NothingToDraw, match="5 combinations"):
        drawn(found["strength"], ["clpd"])
    assert len(found["epochs"].panels) == 2


@pytest.mark.parametrize(
    "grid", [f"{{{STRENGTH}: [0.3, 1], {EPOCHS}: [2, 4]}}", f"{{{DIFFICULTY}: [cot_tokens, 'cot_steps:lines']}}"]
)
def test_lines_go_through_the_means_and_bands_are_t_intervals(grid: str) -> None:
    points = planned(axes=grid)
    arms = list(points[0].point.ablation.arms)
    for one in sweeps(points, scored(points)):
        figure = drawn(one, arms)
        for axes, panel in zip(figure.axes, one.panels, strict=True):
            values = np.array([[*place.scores["arm", "clpd"].values()] for place in panel.places])
            (line,) = of_arm(axes, "clpd")
            assert np.asarray(line.get_ydata()).tolist() == pytest.approx(values.mean(axis=1).tolist())
            half = stats.t.ppf(0.975, 1) * values.std(axis=1, ddof=1) / np.sqrt(2)
            tops = [
                segment.max()
                for place in axes.collections
                for segment in (path.vertices[:, 1] for path in place.get_paths())
            ]
            assert (values.mean(axis=1) + half).max() == pytest.approx(max(tops))


def of_arm(axes: Axes, arm: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_gid() == f"arm:{arm}"]


def test_a_grids_report_has_a_figure_an_axis_and_no_older_one(tmp_path: Path) -> None:
    world = World(tmp_path, curves=False)
    file = tmp_path / "tiny.yaml"
    points = point_plans(load_ablation(file, [f"axes={{{STRENGTH}: [0.3, 0.6]}}"]), file)
    for one in points:
        world.fill(one.plan)
    out = tmp_path / "grid"
    out.mkdir()
    (out / "axes_older.pdf").write_text("of a key that varies no more")
    written = write_reports(points, world.store, out)
    assert [file.name for file in sorted(out.glob("axes_*.p*"))] == ["axes_strength.pdf", "axes_strength.png"]
    for label, report in ((one.point.point.label, one.report) for one in written.groups):
        (series,) = (one for one in report.scores if one.metric == "response_loss")
        assert len(report.scores[series]["arm", "clpd"]) == SEEDS, label
    before = (out / "axes_strength.pdf").read_bytes()
    write_reports(points, world.store, out)
    assert (out / "axes_strength.pdf").read_bytes() == before
