"""The page tells where numbers come from, and what they cost, from manifests alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabricated_report import EVIL, SEEDS, World
from page_text import Page

from clpd_bench.report.page.sentences import commands
from clpd_bench.results.provenance import Provenance, Varied, provenance
from clpd_bench.results.spent import cost
from clpd_bench.store import Store
from clpd_bench.tables.rounding import count, duration, power_of_ten

COMPARED = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]


def test_every_field_in_which_compared_cells_differ_is_listed(broken: World, world: World) -> None:
    found = provenance(broken.plan, broken.store, COMPARED)
    assert [one.field for one in found.differing] == ["student: git", "evaluation on sums: device"]
    assert found.differing[0].values[1] == ("b" * 40 + "-dirty", ["clpd/2"])
    assert len(found.differing[0].values[0][1]) == len(COMPARED) * SEEDS - 2  # one is not done
    assert provenance(world.plan, world.store, COMPARED).differing == []
    page = Page(broken.folder / "report" / "report.html")
    assert "Exploratory" in page.sections["verdict"]
    assert "student: git" in page.sections["provenance"]
    assert "more than one revision" in page.sections["rerun"]
    assert "not committed" in page.sections["rerun"]
    assert "git checkout" not in page.sections["rerun"]


def test_flops_which_padding_and_generation_move_make_no_field_in_which_cells_differ(world: World) -> None:
    class Counted(Store):
        def manifest(self, key: str) -> dict[str, Any] | None:
            manifest = super().manifest(key)
            return manifest and {**manifest, "flops": int(key, 16)}

    assert provenance(world.plan, Counted(world.folder / "store"), COMPARED).differing == []


def test_one_revision_is_checked_out_before_anything_else(page: Page) -> None:
    assert page.sections["rerun"].index(f"git checkout {'a' * 40}") < page.sections["rerun"].index("clpd run")
    spaced = Provenance([Varied("git", [("", ["a job"])])], [], [], "", "")
    assert commands(spaced, "my file.yaml").splitlines()[0] == "clpd plan 'my file.yaml'"


def test_alone_each_cell_pays_for_its_own_teachers(world: World) -> None:
    spent, plan = cost(world.plan, world.store), world.plan
    assert spent.unknown == 0
    needs = [len(set.union(*(plan.ancestors(key) for key in cell.evaluations.values()))) for cell in plan.cells]
    assert spent.alone.seconds == 10 * sum(needs)
    assert spent.as_run.seconds + spent.besides.seconds == 10 * len(plan.jobs)
    assert sum(one.shared.seconds for one in spent.arms) * SEEDS == pytest.approx(spent.as_run.seconds)
    by_arm = {one.arm: one for one in spent.arms}
    assert by_arm["sft"].alone.seconds < by_arm["standard_kd"].alone.seconds < by_arm["clpd"].alone.seconds
    assert by_arm["clpd"].training.seconds == 10
    users = {job.label: cells for job, _, cells in spent.shared}
    assert users["targets of small on sums"] == 2 * SEEDS
    assert users["targets of large on sums"] == 5 * SEEDS


def test_arms_that_are_one_student_share_it(world: World) -> None:
    same = {cell.model for cell in world.plan.cells if cell.name in ("standard_kd", EVIL)}
    assert len(same) == SEEDS


def test_quantities_read_well() -> None:
    assert [duration(s) for s in (0.04, 5.44, 59.99, 460, 7500)] == [
        "0.0 s",
        "5.4 s",
        "1 min 0 s",
        "7 min 40 s",
        "2 h 5 min",
    ]
    assert [count(n) for n in (0, 230400, 34_600_000, 1.2e9)] == ["0", "230,400", "34.6 million", "1.2 billion"]
    assert [power_of_ten(n) for n in (0, 4.612e10, 9.99e11)] == ["0", "4.6 × 10¹⁰", "1.0 × 10¹²"]


def test_a_page_names_dates_of_manifests_and_not_of_today(page: Page, world: World) -> None:
    found = provenance(world.plan, world.store, COMPARED)
    assert found.first.replace("T", " ").replace("+00:00", " UTC") in page.sections["provenance"]


def test_report_of_a_relative_folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    from clpd_bench.report.write import write_files

    assert write_files({"figures/a.png": b"1"}, Path("out"), ["figures/b.png"]) == [Path("out/figures/a.png")]
