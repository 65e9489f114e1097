"""Confirmatory is what was declared before there was anything to choose it by; all else is exploratory and says why.

Times are given by hand: the store's own go by the second.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fabricated_report import SMALL

from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.collect import declared, factorial
from clpd_bench.reporting.standing import Standing, ranges, standings
from clpd_bench.settings.load import load_ablation
from clpd_bench.store import Store, declarations

ARMS = ("standard_kd", "data_ordering", "teacher_scheduling", "clpd")
EIGHT = "seeds=[0, 1, 2, 3, 4, 5, 6, 7]"
TEN = "seeds=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"


class History:
    """What happened to a store, hour by hour. Every evaluation of an arm is on `sums`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "small.yaml"
        self.file.write_text(SMALL.read_text())
        self.store = Store(folder / "store")
        self._monkeypatch = monkeypatch

    def plan(self, *sets: str) -> Plan:
        return build_plan(load_ablation(self.file, [*sets]), self.file)

    def at(self, hour: int) -> History:
        self.time = f"2026-01-01T{hour:02d}:00:00+00:00"
        self._monkeypatch.setattr(declarations, "now", lambda: self.time)
        return self

    def declare(self, *sets: str) -> None:
        self.store.declare(self.plan(*sets).declaration)

    def evaluate(self, *sets: str, seeds: range = range(10), arms: tuple[str, ...] = ARMS) -> None:
        """The cells of these seeds that are not evaluated yet; nothing of an evaluation counts but its date."""
        for cell in self.plan(*sets).cells:
            for key in cell.evaluations.values():
                if cell.seed in seeds and cell.name in arms and not self.store.is_done(key):
                    folder = self.store.artifact(key)
                    folder.mkdir(parents=True)
                    (folder / "manifest.json").write_text(json.dumps({"key": key, "created": self.time, "files": {}}))

    def report(self, *sets: str) -> dict[str, Standing]:
        """The standing of each comparison, as a report made now says; it leaves its record afterwards."""
        found = self.look(*sets)
        plan = self.plan(*sets)
        self.store.record_report(
            {key: cell.model for cell in plan.cells for key in cell.evaluations.values() if self.store.is_done(key)}
        )
        assert self.look(*sets) == found  # a report made again says the same
        return found

    def look(self, *sets: str) -> dict[str, Standing]:
        ablation = load_ablation(self.file, [*sets])
        found = standings(self.plan(*sets), self.store, declared(ablation), factorial(ablation))
        return {arm: one for (arm, benchmark), one in found.by_comparison.items() if benchmark == "sums"}


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    return History(tmp_path, monkeypatch)


def words(found: dict[str, Standing]) -> dict[str, str]:
    return {arm: one.word for arm, one in found.items() if arm in ("data_ordering", "teacher_scheduling", "clpd")}


ALL = {"data_ordering", "teacher_scheduling", "clpd"}
CONFIRMATORY, EXPLORATORY = dict.fromkeys(ALL, "confirmatory"), dict.fromkeys(ALL, "exploratory")


def test_declared_before_the_first_evaluation_is_confirmatory(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    found = history.at(3).report(EIGHT)
    assert words(found) == CONFIRMATORY
    assert found["clpd"].why == (
        "Declared at 2026-01-01 01:00:00 UTC, before the first evaluation used (2026-01-01 02:00:00 UTC)."
    )
    assert found["clpd"].notes == ()


@pytest.mark.parametrize("hour", [2, 3])
def test_declared_at_or_after_the_first_evaluation_is_exploratory(history: History, hour: int) -> None:
    history.at(2).evaluate(EIGHT)
    history.at(hour).declare(EIGHT)
    found = history.at(4).report(EIGHT)
    assert words(found) == EXPLORATORY
    assert "not before the evaluation of standard_kd at seed 0" in found["clpd"].why


def test_never_declared_is_exploratory(history: History) -> None:
    history.at(2).evaluate(EIGHT)
    found = history.at(3).report(EIGHT)
    assert words(found) == EXPLORATORY
    assert "Nothing in the store shows that this was declared" in found["clpd"].why


def test_arms_outside_the_family_are_exploratory_whenever_declared(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT, arms=(*ARMS, "sft"))
    found = history.at(3).report(EIGHT)
    assert found["sft"] == found["interaction"] == Standing("exploratory", "Not in the declared family.")


def test_each_comparison_goes_by_its_own_evaluations(history: History) -> None:
    """clpd was evaluated before the declaration; the others, and the baseline, after."""
    history.at(1).evaluate(EIGHT, arms=("clpd",))
    history.at(2).declare(EIGHT)
    history.at(3).evaluate(EIGHT)
    assert words(history.at(4).report(EIGHT)) == {**CONFIRMATORY, "clpd": "exploratory"}


def test_an_interaction_uses_four_arms(history: History) -> None:
    family = "analysis.family=[interaction, clpd]"
    history.at(1).evaluate(EIGHT, family, arms=("data_ordering",))
    history.at(2).declare(EIGHT, family)
    history.at(3).evaluate(EIGHT, family)
    found = history.at(4).report(EIGHT, family)
    assert found["clpd"].word == "confirmatory"
    assert found["interaction"].word == "exploratory"
    assert "data_ordering at seed 0" in found["interaction"].why


def test_seeds_added_after_a_report_make_exploratory(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(3).report(EIGHT)
    history.at(4).declare(TEN)
    history.at(5).evaluate(TEN)
    found = history.at(6).report(TEN)
    assert words(found) == EXPLORATORY
    assert found["clpd"].why == ("Seeds 8, 9 were added after a report of 2026-01-01 03:00:00 UTC had shown seeds 0-7.")
    assert words(history.at(7).report(EIGHT)) == CONFIRMATORY  # what was declared is still what it was


def test_seeds_added_before_any_report_change_nothing(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(4).declare(TEN)
    history.at(5).evaluate(TEN)
    assert words(history.at(6).report(TEN)) == CONFIRMATORY


def test_added_seeds_that_were_evaluated_before_they_were_added_are_exploratory(history: History) -> None:
    """Another file of the same store may have had them."""
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(TEN)
    history.at(4).declare(TEN)
    assert words(history.at(5).report(EIGHT)) == CONFIRMATORY
    found = history.at(6).look(TEN)
    assert words(found) == EXPLORATORY
    assert "at seed 8" in found["clpd"].why


def test_seeds_taken_out_after_the_evaluations_are_another_declaration(history: History) -> None:
    history.at(1).declare(TEN)
    history.at(2).evaluate(TEN)
    history.at(3).declare(EIGHT)
    assert words(history.at(4).report(EIGHT)) == EXPLORATORY


def test_a_report_of_other_arms_is_no_look_at_these(history: History) -> None:
    """The first report had the baseline and data_ordering; of clpd there was nothing to see."""
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT, arms=("standard_kd", "data_ordering"))
    history.at(3).report(EIGHT)
    history.at(4).declare(TEN)
    history.at(5).evaluate(TEN)
    found = history.at(6).report(TEN)
    assert words(found) == {**CONFIRMATORY, "data_ordering": "exploratory"}


def test_peeking_at_some_of_the_declared_seeds_is_said_and_changes_nothing(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT, seeds=range(5))
    assert history.at(3).report(EIGHT)["clpd"].notes == ()
    history.at(4).evaluate(EIGHT)
    found = history.at(5).report(EIGHT)
    assert words(found) == CONFIRMATORY
    assert found["clpd"].notes == ("A report was made when 5 of 8 declared seeds were done (2026-01-01 03:00:00 UTC).",)
    assert history.at(6).report(EIGHT) == found


def test_a_declaration_that_changes_after_a_look_is_a_new_one(history: History) -> None:
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(3).report(EIGHT)
    for change in (
        "analysis.margin=0.01",
        "analysis.generalise_to=new_items",
        "analysis.correction=none",
        "analysis.family=[clpd]",
        "analysis.primary.metric=exact_match",
        "analysis.diverged=drop_pair",
    ):
        assert history.at(4).look(EIGHT, change)["clpd"].word == "exploratory", change
        history.declare(EIGHT, change)
        assert history.at(5).look(EIGHT, change)["clpd"].word == "exploratory", change


def test_students_seen_before_are_not_new_because_they_are_evaluated_in_another_way(history: History) -> None:
    other = "evaluation.batch_size=7"
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(3).report(EIGHT)
    history.at(4).declare(EIGHT, other)
    history.at(5).evaluate(EIGHT, other)
    found = history.at(6).report(EIGHT, other)
    assert words(found) == EXPLORATORY
    assert "had shown these students (seeds 0-7)" in found["clpd"].why


def test_other_students_are_new_whatever_reports_had_shown(history: History) -> None:
    other = "student.training.learning_rate=5e-3"
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(3).report(EIGHT)
    history.at(4).declare(EIGHT, other)
    history.at(5).evaluate(EIGHT, other)
    assert words(history.at(6).report(EIGHT, other)) == CONFIRMATORY


def test_a_benchmark_added_after_a_look_is_exploratory_and_leaves_the_old_one(history: History) -> None:
    more = "evaluation.benchmarks.again={corpus: sums, max_new_tokens: 3}"
    history.at(1).declare(EIGHT)
    history.at(2).evaluate(EIGHT)
    history.at(3).report(EIGHT)
    history.at(4).declare(EIGHT, more)
    history.at(5).evaluate(EIGHT, more)
    assert words(history.look(EIGHT, more)) == CONFIRMATORY
    ablation = load_ablation(history.file, [EIGHT, more])
    found = standings(history.plan(EIGHT, more), history.store, declared(ablation), factorial(ablation)).by_comparison
    assert found["clpd", "again"].word == "exploratory"
    assert found["clpd", "macro average"].word == "exploratory"  # it uses both


def test_ranges_of_seeds_read_well() -> None:
    assert ranges({9, 0, 1, 2, 3, 8}) == "0-3, 8, 9"
    assert ranges({4}) == "4"
