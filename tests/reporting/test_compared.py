"""Two ablations beside each other: the right cells, paired where they can be, and every reason why they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fabricated_report import SEEDS, World
from scipy import stats
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.evaluation.items import SCHEMA
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.report.compared import write_comparison
from clpd_bench.results.compared import CellPair, arm_pairs, cell_pairs, in_one_alone, new_in_keys, recorded
from clpd_bench.results.sides import Side, two_sides
from clpd_bench.store import Store

LONGER = ["student.training.steps=9", "student.training.epochs=3"]


def planned(world: World, *sets: str) -> Plan:
    file = world.folder / "tiny.yaml"
    return build_plan(load_ablation(file, list(sets)), file)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The ablation as it is, and before it had other steps and was run on another machine."""
    world = World(tmp_path_factory.mktemp("compared"), curves=False)
    before = planned(world, *LONGER)
    world.fields = {f"student clpd/{seed}": {"device": "H100"} for seed in range(SEEDS)}
    world.effect = 0.25
    world.fill(before)
    for cell in before.cells:
        if cell.name == "clpd":  # or the differences would be one and the same at every seed
            less = 0.01 * cell.seed
            rewritten(
                world.store, cell.evaluations["sums"], lambda rows, less=less: rows.assign(score=rows["score"] - less)
            )
    world.store.write_plan(before.to_json())
    world.fields, world.effect = {}, 0.0
    return world


@pytest.fixture(scope="module")
def sides(world: World) -> tuple[Side, Side]:
    return two_sides(world.plan, world.store, world.plan, world.store)


def rewritten(store: Store, key: str, edit: Any) -> None:
    """An artifact's items, edited: as an evaluation elsewhere might have left them."""
    file = store.artifact(key) / "items.parquet"
    edit(pd.read_parquet(file)).to_parquet(file, schema=SCHEMA, index=False)


def of(pairs: list[CellPair], arm: str, metric: str = "response_loss") -> list[CellPair]:
    return [pair for pair in pairs if (pair.arm, pair.metric) == (arm, metric)]


def test_differences_are_first_less_second_item_by_item_and_over_seeds_a_paired_t(
    world: World, sides: tuple[Side, Side]
) -> None:
    pairs = cell_pairs(*sides)
    assert len(pairs) == 6 * SEEDS * 2
    keys = [
        {cell.seed: cell.evaluations["sums"] for cell in plan.cells if cell.name == "clpd"}
        for plan in (world.plan, planned(world, *LONGER))
    ]
    differences = []
    for seed, pair in enumerate(of(pairs, "clpd")):
        a, b = (pd.read_parquet(world.store.artifact(by_seed[seed]) / "items.parquet") for by_seed in keys)
        x, y = (one[one["metric"] == "response_loss"].set_index("item")["score"] for one in (a, b))
        assert (pair.first, pair.second) == pytest.approx((x.mean(), y.mean()))
        assert pair.difference == pytest.approx((x - y).mean())
        assert (pair.changed, pair.artifact) == (len(x), "other")
        differences.append((x - y).mean())
    assert np.mean(differences) == pytest.approx(0.26)
    (clpd,) = [one for one in arm_pairs(pairs) if (one.arm, one.metric) == ("clpd", "response_loss")]
    low, high = stats.t.interval(0.95, SEEDS - 1, loc=np.mean(differences), scale=stats.sem(differences))
    assert (clpd.low, clpd.high) == pytest.approx((low, high), abs=1e-9)
    (sft,) = [one for one in arm_pairs(pairs) if (one.arm, one.metric) == ("sft", "response_loss")]
    assert (sft.difference, sft.low, sft.high) == (0, 0, 0)


def test_why_keys_and_manifests_differ_is_told_once_with_all_that_have_it(sides: tuple[Side, Side]) -> None:
    found = new_in_keys(*sides)
    assert set(found) == {
        "student: settings: training.steps was 9, is 6",
        "student: settings: training.epochs was 3, is 2",
    }
    assert all({"sft", "clpd"} < set(arms) and len(arms) == 6 for arms in found.values())
    (device,) = recorded(*sides)
    assert (device.what, device.field, device.first, device.second) == ("student", "device", "cpu (x86_64)", "H100")
    assert device.cells == [f"clpd/{seed}" for seed in range(SEEDS)]


def test_items_that_are_not_the_same_are_compared_by_their_means_and_so_it_is_said(
    world: World, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")
    shutil.copytree(world.store.root, other.root)
    keys = {cell.seed: cell.evaluations["sums"] for cell in world.plan.cells if cell.name == "data_ordering"}
    rewritten(other, keys[0], lambda items: items[items["item"] > "0010"])
    rewritten(other, keys[1], lambda items: items.assign(prompt_hash="another"))
    rewritten(other, keys[2], lambda items: items.sample(frac=1, random_state=0))  # the order of rows is no matter
    pairs = of(cell_pairs(*two_sides(world.plan, world.store, world.plan, other)), "data_ordering")
    assert [pair.changed for pair in pairs] == [-1, -1, 0]
    assert pairs[0].difference == pytest.approx(pairs[0].first - pairs[0].second)
    assert [pair.artifact for pair in pairs] == ["equal"] * 3
    text = write_comparison(world.plan, world.store, world.plan, other, tmp_path / "out")[0].read_text()
    assert "other items" in text
    assert "so their means are compared and not their items" in text
    assert "same key" in text
    assert "The keys of all cells above are equal" in text


def test_cells_of_one_alone_are_listed_and_shared_artifacts_are_marked(world: World) -> None:
    fewer = planned(world, "seeds=[0, 1, 5]")
    one, other = two_sides(world.plan, world.store, fewer, world.store)
    assert in_one_alone(one, other)[0] == "sft on sums (seeds 2)"
    assert in_one_alone(other, one) == []  # seed 5 has not been run
    assert {pair.artifact for pair in cell_pairs(one, other)} == {"one"}
    assert {pair.seed for pair in cell_pairs(one, other)} == {0, 1}


def test_the_same_students_evaluated_otherwise_are_said_to_be_the_same(world: World) -> None:
    again = planned(world, "evaluation.batch_size=7")
    world.fill(again)
    pairs = cell_pairs(*two_sides(world.plan, world.store, again, world.store))
    assert {pair.artifact for pair in pairs} == {"student"}


def test_what_nobody_has_made_is_compared_with_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing of it has been evaluated"):
        two_sides(planned(world, "seeds=[7, 8]"), world.store, world.plan, world.store)
    with pytest.raises(UserError, match="nothing of it has been evaluated"):
        two_sides(world.plan, world.store, world.plan, Store(tmp_path / "empty"))
    alone = World(tmp_path / "alone", curves=False)
    with pytest.raises(UserError, match="compared with itself"):
        two_sides(alone.plan, alone.store, alone.plan, alone.store)
    renamed = World(tmp_path / "renamed", edits={"sums: {corpus: sums, max": "other: {corpus: sums, max",
                                                 "benchmark: sums": "benchmark: other"}, curves=False)  # fmt: skip
    with pytest.raises(UserError, match="no evaluated cell in common"):
        write_comparison(alone.plan, alone.store, renamed.plan, renamed.store, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_both_stores_are_left_word_of_what_was_shown(world: World, tmp_path: Path) -> None:
    stores = [Store(tmp_path / name) for name in ("one", "other")]
    for store in stores:
        shutil.copytree(world.store.root, store.root)
        shutil.rmtree(store.root / "register")
    write_comparison(world.plan, stores[0], world.plan, stores[1], tmp_path / "out")
    keys = {key for cell in world.plan.cells for key in cell.evaluations.values()}
    for store in stores:
        (look,) = store.register()
        assert (look.kind, look.content.keys()) == ("look", keys)


def test_the_verb_writes_what_it_prints_twice_the_same(world: World, tmp_path: Path) -> None:
    file = str(world.folder / "tiny.yaml")
    command = ["report", file, "--compare", file, "--store", str(world.store.root), "--out", str(tmp_path)]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert before.keys() == {"compare.md", "compare.csv"}
    assert before["compare.md"].decode() in first.stdout
    assert "training.steps was 9, is 6" in first.stdout
    CliRunner().invoke(app, command)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before
    table = pd.read_csv(tmp_path / "compare.csv")
    assert list(table.columns) == list(CellPair._fields)
    assert len(table) == 6 * SEEDS * 2


@pytest.mark.parametrize(
    "options", [["--compare-store", "x"], ["--compare", "FILE", "--all"], ["FILE", "--compare", "FILE"]]
)
def test_options_that_do_not_go_together_are_refused(world: World, options: list[str]) -> None:
    file = str(world.folder / "tiny.yaml")
    result = CliRunner().invoke(app, ["report", file, *(file if one == "FILE" else one for one in options)])
    assert isinstance(result.exception, UserError)


def test_a_plan_that_this_code_cannot_read_is_compared_all_the_same(world: World, tmp_path: Path) -> None:
    """An older commit's plan may hold settings that are gone."""
    other = Store(tmp_path / "other")
    shutil.copytree(world.store.root, other.root)
    for file in other.plans():
        record = json.loads(file.read_text())
        for job in record["jobs"]:
            job["spec"]["a_setting_of_old"] = 1
        file.write_text(json.dumps(record))
    for cell in world.plan.cells:
        shutil.rmtree(other.artifact(cell.evaluations["sums"]), ignore_errors=True)
    one, two = two_sides(world.plan, world.store, world.plan, other)
    assert any("a_setting_of_old" in cause for cause in new_in_keys(one, two))
    assert len(cell_pairs(one, two)) == 6 * SEEDS * 2
