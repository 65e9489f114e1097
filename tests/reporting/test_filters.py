"""Strict and flexible accuracy stand side by side, and the primary result names one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricated_report import World

from clpd_bench.errors import UserError
from clpd_bench.evaluation.items import SCHEMA
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan, point_plans
from clpd_bench.plan.plan import Job
from clpd_bench.report.several.points import write_reports
from clpd_bench.results.seed_scores import primary_means
from clpd_bench.settings.parts.analysis import Primary

SETS = [
    "evaluation.benchmarks.sums.extract=number",
    "evaluation.benchmarks.sums.floor=last_number",
    "analysis.primary={benchmark: sums, metric: exact_match, filter: flexible}",
]


class TwoFilters(World):
    """Strict accuracy is half, flexible three quarters; the questions' last number is every third's answer."""

    def _corpus(self, job: Job, out: Path) -> None:
        super()._corpus(job, out)
        for split in ("train", "test"):
            table = pq.read_table(out / f"{split}.parquet")
            questions = [f"{i} and {i % 3}" for i in range(table.num_rows)]
            table = table.append_column("question", pa.array(questions))
            table = table.append_column("answer", pa.array(["0"] * table.num_rows))
            pq.write_table(table, out / f"{split}.parquet")

    def __post_init__(self) -> None:
        super().__post_init__()
        file = self.folder / "tiny.yaml"
        self.ablation = load_ablation(file, SETS)
        self.plan = build_plan(self.ablation, file)
        self.points = point_plans(self.ablation, file)
        for job in self.plan.jobs.values():
            if not self.store.is_done(job.key):
                self._make(job)

    def _evaluation(self, job: Job, out: Path) -> None:
        super()._evaluation(job, out)
        rows: list[dict[str, Any]] = []
        for row in pq.read_table(out / "items.parquet").to_pylist():
            if row["metric"] != "exact_match":
                rows.append(row)
                continue
            rows.append({**row, "filter": "strict"})
            rows.append({**row, "filter": "flexible", "score": float(int(row["item"].split()[-1]) % 4 != 0)})
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), out / "items.parquet")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> TwoFilters:
    return TwoFilters(tmp_path_factory.mktemp("filters"), curves=False)


def test_the_primary_table_is_of_the_filter_that_was_named(world: TwoFilters) -> None:
    report = world.report()
    table = report.files[0].read_text()
    assert "exact_match (flexible)" in table
    assert "(strict)" not in table
    assert "No verdict" not in table
    assert "75.0" in table
    assert report.primary == ("sums", "exact_match (flexible)")
    assert report.secondary is not None
    assert "exact_match (strict)" in report.secondary.read_text()


def test_a_grids_table_is_of_the_filter_that_was_named(world: TwoFilters) -> None:
    written = write_reports(world.points, world.store, world.folder / "grid")
    primary, secondary = written.axes, written.secondary
    assert "## sums exact_match (flexible)" in primary.read_text()
    assert "(strict)" not in primary.read_text()
    assert "## sums exact_match (strict)" in secondary.read_text()


def test_the_spread_of_the_primary_result_is_of_the_filter_that_was_named(world: TwoFilters) -> None:
    for name, mean in (("flexible", 0.75), ("strict", 0.5)):
        primary = Primary(benchmark="sums", metric="exact_match", filter=name)
        assert set(primary_means(world.plan, world.store, primary).values()) == {mean}
    assert not primary_means(world.plan, world.store, Primary(benchmark="sums", metric="exact_match"))


def test_outcomes_under_several_filters_want_the_primary_one_named(world: TwoFilters) -> None:
    """Where the plan could not know them."""
    analysis = world.ablation.analysis.model_copy(update={"primary": Primary(benchmark="sums", metric="exact_match")})
    unnamed = world.ablation.model_copy(update={"analysis": analysis})
    world.ablation, named = unnamed, world.ablation
    with pytest.raises(UserError, match=r"under several filters") as caught:
        world.report("unnamed")
    world.ablation = named
    assert list(caught.value.allowed or []) == ["flexible", "strict"]


def test_a_floor_stands_beside_the_references_where_there_is_accuracy(world: TwoFilters) -> None:
    """And is in no comparison, no key, and missing nowhere."""
    report = world.report("floors")
    assert report.secondary is not None
    primary, secondary = report.files[0].read_text(), report.secondary.read_text()
    (line,) = [line for line in primary.splitlines() if "floor last number" in line]
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["floor last number", "33.3"]
    tables = secondary.split("\n## ")
    assert ["floor last number" in one for one in tables if one.startswith("sums ")] == [True, False]
    assert "has no outcomes" not in primary
    assert "floor" not in set(report.comparisons["arm"])
    file = world.folder / "tiny.yaml"
    without = build_plan(load_ablation(file, [one for one in SETS if "floor" not in one]), file)
    assert without.jobs.keys() == world.plan.jobs.keys()
