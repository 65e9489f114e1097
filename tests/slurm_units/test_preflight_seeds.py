"""Comparisons that could find next to nothing are told of before they cost anything."""

from __future__ import annotations

from typing import Any

import pytest

from clpd_bench.analysis.power import detectable_effect
from clpd_bench.launch.slurm.preflight.checks import check_seeds
from clpd_bench.plan.plan import Plan


def declared(seeds: int, family: int, alpha: float = 0.05) -> dict[str, Any]:
    return {"seeds": list(range(seeds)), "family": [f"a{i}" for i in range(family)], "alpha": alpha}


def plan(declaration: dict[str, Any]) -> Plan:
    return Plan("a", "a.yaml", {}, [], [], {}, {}, declaration)


def test_too_few_seeds_are_a_warning_with_what_they_and_two_more_would_find() -> None:
    (finding,) = check_seeds(plan(declared(3, 3)))
    assert finding.level == "warning"
    now, then = detectable_effect(3, 0.05 / 3), detectable_effect(5, 0.05 / 3)
    assert f"with 3 seeds and 3 comparisons only differences of more than {now:.1f} standard" in finding.what
    assert f"5 seeds would find {then:.1f}" in finding.fix
    assert "--set 'seeds=[0, 1, 2, 3, 4]'" in finding.fix


@pytest.mark.parametrize(("seeds", "family"), [(5, 1), (8, 3), (10, 10)])
def test_seeds_that_find_two_standard_deviations_are_enough(seeds: int, family: int) -> None:
    assert detectable_effect(seeds, 0.05 / family) <= 2
    assert check_seeds(plan(declared(seeds, family))) == []


def test_more_comparisons_want_more_seeds() -> None:
    assert check_seeds(plan(declared(5, 1))) == []
    assert check_seeds(plan(declared(5, 10)))


def test_one_seed_tests_nothing() -> None:
    (finding,) = check_seeds(plan(declared(1, 1)))
    assert "nothing can be tested" in finding.what


def test_points_that_are_alike_are_told_of_once() -> None:
    points = {"[a=1]": declared(3, 3), "[a=2]": declared(3, 3), "[a=3]": declared(8, 3)}
    assert len(check_seeds(plan({"points": points}))) == 1
