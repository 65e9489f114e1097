"""A declaration holds all that is promised, and no more: one that says otherwise is another record of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan

ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]


def declared(small: Path, *sets: str) -> dict[str, Any]:
    return build_plan(load_ablation(small, list(sets)), small).declaration


def test_defaults_leave_a_declaration_as_it_was(small: Path) -> None:
    """Correction and alpha, which were there from the first, stand in it always; what came later does not."""
    plain = declared(small)
    assert set(plain) == {"baseline", "family", "primary", "correction", "alpha", "arms", "seeds", "evaluations"}
    written_out = declared(
        small,
        "analysis.correction=holm",
        "analysis.alpha=0.05",
        "analysis.margin=null",
        "analysis.generalise_to=these_items",
        "analysis.diverged=refuse",
    )
    assert written_out == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("correction", "bonferroni"),
        ("correction", "none"),
        ("alpha", 0.01),
        ("margin", 0.02),
        ("generalise_to", "new_items"),
        ("diverged", "drop_pair"),
        ("diverged", "last_checkpoint"),
    ],
)
def test_whatever_else_is_promised_stands_in_it(small: Path, name: str, value: object) -> None:
    changed = declared(small, f"analysis.{name}={value}")
    assert changed.pop(name) == value
    assert changed == {key: old for key, old in declared(small).items() if key != name}


def test_a_test_of_the_interaction_names_the_evaluations_of_its_four_arms(small: Path) -> None:
    plan = build_plan(load_ablation(small, ["analysis.family=[interaction]"]), small)
    assert set(plan.declaration["arms"]) == set(ARMS)
    needed = {key for cell in plan.cells if cell.name in ARMS for key in cell.evaluations.values()}
    assert set(plan.declaration["evaluations"]) == needed
