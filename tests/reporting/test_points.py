"""A grid's report is one report a point, and a table that says what each of them says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fabricated_report import World

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan, point_plans
from clpd_bench.report.several.points import folder_name, write_reports
from clpd_bench.store import Store

KEY = "curriculum.pacing.strength"


class Grid:
    """The fabricated ablation at several strengths, all of it done."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, curves=False)
        file = folder / "tiny.yaml"
        self.points = point_plans(load_ablation(file, [f"axes={{{KEY}: [0.6, 1]}}"]), file)
        self.out = folder / "grid"

    def fill(self) -> None:
        """The jobs of the second point that the world, which is the first, does not have."""
        for job in self.points[1].plan.jobs.values():
            if not self.world.store.is_done(job.key):
                self.world._make(job)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return Grid(tmp_path_factory.mktemp("grid"))


def test_a_point_without_outcomes_is_said_to_be_missing(tmp_path: Path) -> None:
    grid = Grid(tmp_path)
    done = grid.points[0].plan.jobs
    lone = [one for one in grid.points[1].plan.cells if one.model not in done]
    assert {cell.name for cell in lone} == {"data_ordering", "clpd"}
    written = write_reports(grid.points, grid.world.store, grid.out)
    assert len(written.groups) == 2  # what the points share is there
    assert "- strength=1: clpd at seed 0 on sums: pending." in written.axes.read_text()
    with pytest.raises(UserError, match="nothing has been evaluated yet"):
        write_reports(grid.points, Store(tmp_path / "empty"), tmp_path / "none")


def test_each_point_has_the_report_that_its_file_alone_would_have(grid: Grid) -> None:
    grid.fill()
    write_reports(grid.points, grid.world.store, grid.out)
    alone = grid.world.report("alone")
    for name in ("table.csv", "comparisons.csv", "items.parquet"):
        assert (grid.out / "strength=0.6" / name).read_bytes() == (alone.page.parent / name).read_bytes()
    texts = [(grid.out / folder / "table.md").read_text() for folder in ("strength=0.6", "strength=1")]
    assert [text.split("\n")[0] for text in texts] == ["# tiny [strength=0.6]", "# tiny [strength=1]"]
    assert texts[0].split("\n")[1:] == (alone.page.parent / "table.md").read_text().split("\n")[1:]


def test_the_table_of_points_says_what_each_points_tables_say(grid: Grid) -> None:
    grid.fill()
    written = write_reports(grid.points, grid.world.store, grid.out)
    file, secondary = written.axes, written.secondary
    assert "- Found at every point: at one learning rate for all arms, not tuned.\n" in file.read_text()
    axes = pd.read_csv(grid.out / "axes.csv")
    for point in ("strength=0.6", "strength=1"):
        means, tests = (pd.read_csv(grid.out / point / name) for name in ("table.csv", "comparisons.csv"))
        mine = axes[axes["point"] == point].set_index(["arm", "benchmark", "metric"])
        for row in means[means["kind"] == "arm"].itertuples():
            found = mine.loc[(row.arm, row.benchmark, row.metric)]
            assert (found["mean"], found["sd"], found["seeds"]) == (row.mean, row.sd, row.seeds)
        columns = ["difference", "low", "high", "p", "p_adjusted", "standing"]
        for row in tests.to_dict("records"):
            found = mine.loc[(row["arm"], row["benchmark"], row["metric"])]
            pd.testing.assert_series_equal(
                found[columns], pd.Series(row)[columns], check_names=False, check_dtype=False
            )
        assert len(mine) == len(means[means["kind"] == "arm"]) + (tests["arm"] == "interaction").sum()
    text = file.read_text()
    assert "Family-wise correction (Holm over data_ordering, teacher_scheduling, clpd) is within a point" in text
    assert "exact_match" not in text  # the primary result alone
    assert "response_loss" not in secondary.read_text()
    assert "exact_match" in secondary.read_text()


def test_a_file_without_axes_has_one_plan_that_is_the_whole(grid: Grid) -> None:
    file = grid.world.folder / "tiny.yaml"
    (one,) = point_plans(load_ablation(file), file)
    assert one.plan == build_plan(load_ablation(file), file)


def test_folders_are_named_by_their_points() -> None:
    assert folder_name("") == "base"
    assert folder_name("[initial=a/b c,epochs=4]") == "initial=a_b_c,epochs=4"
