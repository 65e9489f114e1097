"""Power is told by the outcomes' spread, planning looks at no difference, and both say what it costs."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabricated_report import SEEDS, World
from statsmodels.stats.power import TTestPower
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.report.power import FILES
from clpd_bench.results.collect import collect_items, factorial
from clpd_bench.results.power import comparisons_power, power_of
from clpd_bench.results.seed_scores import primary_means

HEAVY = ("torch", "transformers", "pandas", "scipy", "statsmodels", "matplotlib", "datasets", "lm_eval")


def clpd(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def real_data(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A fabricated store whose corpora are real, as planning wants them."""
    world = World(tmp_path_factory.mktemp("planned"), undone=("corpus", "difficulty"), curves=False)
    clpd("plan", world.folder / "tiny.yaml", "--store", world.folder / "store", "--corpus")
    return world


def outcomes(world: World) -> dict[tuple[str, int], float]:
    """By pandas, of what the report reads."""
    items, _ = collect_items(world.plan, world.store)
    primary = world.ablation.analysis.primary
    mine = items[(items["kind"] == "arm") & (items["benchmark"] == primary.benchmark)]
    mine = mine[mine["metric"] == primary.metric]
    return dict(mine.groupby(["arm", "seed"])["score"].mean().to_dict())


def test_means_are_those_that_the_report_reads(world: World) -> None:
    found = primary_means(world.plan, world.store, world.ablation.analysis.primary)
    assert len(found) == len(world.plan.cells)
    assert found == pytest.approx(outcomes(world))


def test_outcomes_that_cannot_be_read_count_as_unfinished(tmp_path: Path) -> None:
    world = World(tmp_path)
    cell = world.plan.cells[0]
    file = world.store.artifact(cell.evaluations[world.ablation.analysis.primary.benchmark]) / "items.parquet"
    file.chmod(0o644)
    for damage in (lambda: file.write_bytes(b"half a file"), file.unlink):
        damage()
        found = primary_means(world.plan, world.store, world.ablation.analysis.primary)
        assert {(one.name, one.seed) for one in world.plan.cells} - set(found) == {(cell.name, cell.seed)}


def test_planning_knows_nothing_of_a_difference(world: World, tmp_path: Path) -> None:
    other = World(tmp_path, effect=0.7)
    one, two = (power_of(w.ablation, w.plan, w.store, None) for w in (world, other))
    assert one["spread"]["source"] == "blinded"
    assert outcomes(world) != pytest.approx(outcomes(other), abs=0.1)
    for found in (one, two):
        found["flat"] = [found["spread"].pop(name) for name in ("sd", "low", "high", "arm_sd", "correlation")]
        found["flat"] += [row.pop("difference") for row in [*found["effects"], *found["detectable"].values()]]
    assert one.pop("flat") == pytest.approx(two.pop("flat"), rel=1e-8)
    assert one == two


def test_each_comparison_has_the_spread_of_its_own_differences(world: World) -> None:
    analysis = world.ablation.analysis.model_copy(update={"family": ("data_ordering", "clpd", "interaction")})
    y, seeds = outcomes(world), range(SEEDS)
    signs = {
        "data_ordering": {"data_ordering": 1, "standard_kd": -1},
        "clpd": {"clpd": 1, "standard_kd": -1},
        "interaction": {"clpd": 1, "data_ordering": -1, "teacher_scheduling": -1, "standard_kd": 1},
    }
    found = comparisons_power(analysis, factorial(world.ablation), y, SEEDS)
    assert [one["comparison"] for one in found] == list(signs)
    for one in found:
        d = [sum(sign * y[arm, s] for arm, sign in signs[one["comparison"]].items()) for s in seeds]
        sd = np.std(d, ddof=1)
        assert (one["seeds"], one["spread"]["sd"]) == (SEEDS, pytest.approx(sd))
        for level, alpha in (("alone", 0.05), ("worst", 0.05 / 3)):
            least = one["detectable"][level]["difference"] / sd
            assert TTestPower().power(least, SEEDS, alpha / 2, alternative="larger") == pytest.approx(0.8, abs=1e-3)
        half = one["detectable"]["worst"]["d_z"] / 2
        enough = [TTestPower().power(half, one["seeds_for_half"] - less, 0.05 / 3) for less in (0, 1)]
        assert enough[0] >= 0.8 > enough[1]


def test_a_pair_that_lacks_seeds_has_no_spread(broken: World) -> None:
    means = {cell: y for cell, y in outcomes(broken).items() if cell[0] != "clpd" or cell[1] == 0}
    by_name = {one["comparison"]: one for one in comparisons_power(broken.ablation.analysis, None, means, SEEDS)}
    assert by_name["clpd"]["spread"] is None
    assert by_name["clpd"]["seeds"] == 1


def test_report_power_writes_table_curve_and_picture_and_the_next_report_leaves_none(
    world: World, tmp_path: Path
) -> None:
    file, options = world.folder / "tiny.yaml", ["--store", world.folder / "store", "--out", tmp_path]
    clpd("report", file, *options, "--power")
    assert all((tmp_path / name).stat().st_size for name in FILES)
    text = (tmp_path / "power.md").read_text()
    table = [[cell.strip() for cell in line.split("|")[1:3]] for line in text.splitlines() if line.startswith("|")]
    for one in world.ablation.analysis.family:
        assert [one, str(SEEDS)] in table
    assert "no difference looked at" in text
    assert "Warning: with 3 seeds and" in text
    with (tmp_path / "power.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        alpha = 0.05 / (len(world.ablation.analysis.family) if row["test"] == "worst" else 1)
        seeds, effect = int(row["seeds"]), float(row["d_z"])
        expected = TTestPower().power(effect, seeds, alpha)
        if np.isfinite(expected):
            assert float(row["power"]) == pytest.approx(expected, abs=1e-6)
    first = {name: (tmp_path / name).read_bytes() for name in FILES}
    clpd("report", file, *options, "--power")
    assert first == {name: (tmp_path / name).read_bytes() for name in FILES}
    clpd("report", file, *options)
    assert not any((tmp_path / name).exists() for name in FILES)
    assert (tmp_path / "report.html").exists()


def test_plan_tells_the_blinded_spread_and_the_cost_of_seeds(real_data: World) -> None:
    world = real_data
    file, options = world.folder / "tiny.yaml", ["--store", world.folder / "store"]
    power: dict[str, Any] = json.loads(clpd("plan", file, *options, "--json"))["power"]
    assert (power["spread"]["source"], power["spread"]["seeds"]) == ("blinded", SEEDS)
    # Two arms of this store are one and the same student.
    arms = len({cell.model for cell in world.plan.cells if cell.seed == 0})
    benchmarks = len(world.plan.cells[0].evaluations)
    seconds = 10.0 * (arms * (1 + benchmarks) + 1 + benchmarks)  # the initial model of a seed is evaluated too
    assert power["one_more_seed"] == {"seconds": seconds, "device": "cpu"}
    for row in power["effects"]:
        for level in ("alone", "worst"):
            assert row["added_seeds"][level] == max(0, row["seeds_needed"][level] - SEEDS)
            assert row["added_seconds"][level] == pytest.approx(seconds * row["added_seeds"][level])
    assert "no difference looked at" in clpd("plan", file, *options)


def test_planning_over_finished_cells_imports_nothing_that_is_slow_to_load(real_data: World) -> None:
    options = [real_data.folder / "tiny.yaml", "--store", real_data.folder / "store"]
    program = (
        "import sys\nfrom clpd_bench.cli import app as cli\n"
        "try:\n    cli.main()\nexcept SystemExit as left:\n    assert not left.code, left.code\n"
        "print('loaded:', *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, "plan", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "no difference looked at" in done.stdout
    assert set(done.stderr.split("loaded:")[1].split()).isdisjoint(HEAVY)
