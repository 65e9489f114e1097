"""The capacity gap: who is in it, where each stands, and that it is drawn so that it can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fabricated_report import SEEDS, World
from figure_text import check_legible
from matplotlib.lines import Line2D
from pictures import sketched
from scipy import stats

from clpd_bench.report.figures.capacity_gap import capacity_gap as draw_gap
from clpd_bench.report.figures.style import arm_styles, styled
from clpd_bench.report.report import Report
from clpd_bench.results.capacity import Gap, capacity_gap

ARMS = (
    '  kd_small: {order: shuffled, teachers: "only:small"}\n'
    '  kd_small_hot: {order: shuffled, teachers: "only:small", differs: {student.training.learning_rate: 1e-2}}\n'
)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("taught"), arms=ARMS, curves=False)


@pytest.fixture(scope="module")
def report(taught: World) -> Report:
    with sketched():
        return taught.report()


@pytest.fixture(scope="module")
def gap(report: Report) -> Gap:
    assert report.gap
    return report.gap


def test_each_student_stands_at_its_own_teachers_score(gap: Gap, report: Report) -> None:
    items = pd.read_parquet(report.page.parent / "items.parquet")
    means = items[items["metric"] == "response_loss"].groupby(["arm", "seed"])["score"].mean()
    points = {point.arm: point for point in gap.points}
    for arm, teacher in (("kd_small", "small"), ("standard_kd", "large"), ("clpd", "large")):
        mine = means[arm].to_numpy()
        assert points[arm].teacher_score == pytest.approx(means[f"teacher {teacher}"].mean(), abs=1e-12)
        low, high = stats.t.interval(0.95, SEEDS - 1, loc=mine.mean(), scale=stats.sem(mine))
        assert (points[arm].mean, points[arm].low, points[arm].high) == pytest.approx((mine.mean(), low, high))
    assert points["clpd"].role == "progressive"
    assert points["sft"].role == "no teacher"
    assert np.isnan(points["student before"].teacher_score)


def test_arms_that_differ_in_more_than_their_teacher_are_left_out(gap: Gap) -> None:
    names = {point.arm for point in gap.points}
    assert not names & {"kd_small_hot", "data_ordering", "teacher_scheduling"}
    alone = [point.teacher for point in gap.of("one teacher")]
    assert alone == sorted(alone, key=["small", "large"].index)


def test_one_teacher_makes_no_curve(world: World) -> None:
    with sketched():
        report = world.report("alone")
    assert report.gap is None
    assert not list((world.folder / "alone").rglob("capacity_gap*"))


def test_the_table_has_the_numbers_of_the_figure(gap: Gap, report: Report) -> None:
    table = pd.read_csv(report.page.parent / "capacity_gap.csv")
    assert table["arm"].tolist() == [point.arm for point in gap.points]
    assert table["mean"].tolist() == pytest.approx([point.mean for point in gap.points])
    assert (report.page.parent / "figures" / "capacity_gap.pdf").exists()
    assert "figure-capacity_gap" in report.page.read_text()


def test_a_report_without_a_curve_removes_an_older_ones(taught: World, world: World, tmp_path: Path) -> None:
    from clpd_bench.report.report import write_report

    write_report(taught.ablation, taught.plan, taught.store, tmp_path)
    write_report(world.ablation, world.plan, world.store, tmp_path)
    assert not list(tmp_path.rglob("capacity_gap*"))


def test_arms_have_their_look_and_everything_can_be_read(gap: Gap) -> None:
    with styled():
        figure = draw_gap({"a long name of an ablation file": gap, "another": gap})
        figure.draw_without_rendering()
        check_legible(figure)
    for arm, style in arm_styles(gap.arms).items():
        drawn = figure.findobj(lambda artist, arm=arm: artist.get_gid() == f"arm:{arm}")
        assert all(isinstance(line, Line2D) and line.get_color() == style.color for line in drawn)
        assert len(drawn) == 2 * (arm in {point.arm for point in gap.points})


def test_a_level_far_from_all_others_is_told_and_does_not_squeeze_them(gap: Gap) -> None:
    far = [point._replace(mean=99.0) if point.role == "before" else point for point in gap.points]
    with styled():
        figure = draw_gap({"": Gap(gap.series, gap.arms, far)})
    (axes,) = figure.axes
    assert axes.get_ylim()[1] < 2
    legend = axes.get_legend()
    assert legend
    assert "student before, off the axis at 99.000" in [text.get_text() for text in legend.get_texts()]


def test_what_was_not_evaluated_is_no_point(taught: World, gap: Gap) -> None:
    report = taught.report()
    scores = {
        name: by_seed for name, by_seed in report.scores[gap.series].items() if name != ("reference", "teacher small")
    }
    assert capacity_gap(taught.ablation, gap.series, scores) is None
