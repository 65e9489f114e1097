"""What a job is by its settings, and what a student is asked about, whatever code makes it and under what settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.keys import identities
from clpd_bench.plan.plan import Plan
from clpd_bench.plan.questions import Question, items_source, questions


def planned(small: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(small, list(sets)), small)


def label(plan: Plan, name: str) -> str:
    return next(key for key, job in plan.jobs.items() if job.label == name)


def asked(plan: Plan, cell: str = "small/clpd/0") -> Question:
    return questions(plan.jobs)(next(one.model for one in plan.cells if one.id == cell))


def test_an_identity_is_of_settings_and_not_of_code_or_names(small: Path) -> None:
    plan = planned(small)
    teacher = label(plan, "model large")
    renamed = {f"other {key}": replace(job, key=f"other {key}", code="99", libraries={"lm_eval": "9"},
                                       label="another",
                                       parents={role: f"other {parent}" for role, parent in job.parents.items()})
               for key, job in plan.jobs.items()}  # fmt: skip
    assert identities(renamed)(f"other {teacher}") == identities(plan.jobs)(teacher)


@pytest.mark.parametrize(
    "change", ["models.large.seed=1", "models.large.training.steps=5", "corpora.many.source.train=81"]
)
def test_an_identity_is_of_seeds_too_and_of_parents(small: Path, change: str) -> None:
    plan, other = planned(small), planned(small, change)
    found = [identities(one.jobs)(label(one, "model large")) for one in (plan, other)]
    assert found[0] != found[1]
    assert asked(plan).arm != asked(other).arm


def test_seeds_of_one_arm_ask_the_same_under_one_setting(small: Path) -> None:
    plan = planned(small)
    assert asked(plan, "small/clpd/0") == asked(plan, "small/clpd/1")
    arms = ("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd")
    assert len({asked(plan, f"small/{arm}/0").arm for arm in arms}) == 5


@pytest.mark.parametrize(
    "limits",
    [
        ["corpora.sums.source.test=13", "corpora.many.source.test=13"],
        ["corpora.sums.max_tokens=41", "corpora.many.max_tokens=41"],
    ],
)
def test_one_test_item_more_makes_no_other_teacher_nor_another_test(small: Path, limits: list[str]) -> None:
    plan, other = planned(small), planned(small, *limits)
    assert asked(plan) == asked(other)
    found = [items_source(one.jobs, label(one, "evaluation clpd/0 on sums")) for one in (plan, other)]
    assert found[0] == found[1]


def test_limits_of_files_make_no_other_teacher(small: Path) -> None:
    for name in ("train", "test"):
        (small.parent / f"{name}.jsonl").write_text("")
    source = "{name: jsonl, train: train.jsonl, test: test.jsonl, rationale: rationale%s}"
    plans = [
        planned(small, f"corpora.sums.source={source % limit}", f"corpora.many.source={source % limit}")
        for limit in ("", ", limit: {test: 12}", ", limit: {test: 13}", ", limit: {train: 9}")
    ]
    arms = [asked(plan).arm for plan in plans]
    assert arms[0] == arms[1] == arms[2] != arms[3]
