"""Confirmatory is what was declared before a look had shown its question, whatever the settings; all else says why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricated_report import SMALL
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.results.collect import declared, factorial
from clpd_bench.results.looks import leave_word, shown
from clpd_bench.results.standing import Standing, ranges, standings
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.store import Store, register

ARMS = ("standard_kd", "data_ordering", "teacher_scheduling", "clpd")
EIGHT = "seeds=[0, 1, 2, 3, 4, 5, 6, 7]"
TEN = "seeds=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
TIME = "2026-01-01T01:00:00+00:00"


class History:
    """What happened to a store. Of an evaluation there are the ids of its items, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "small.yaml"
        self.file.write_text(SMALL.read_text())
        self.store = Store(folder / "store")

    def plan(self, *sets: str) -> Plan:
        return build_plan(load_ablation(self.file, [*sets]), self.file)

    def declare(self, *sets: str) -> None:
        self.store.declare(self.plan(*sets).declaration)

    def evaluate(self, *sets: str, seeds: range = range(20), arms: Sequence[str] = ARMS) -> None:
        """The cells of these seeds that are not evaluated yet."""
        plan = self.plan(*sets)
        for cell in plan.cells:
            for key in cell.evaluations.values():
                if cell.seed in seeds and cell.name in arms and not self.store.is_done(key):
                    corpus = plan.jobs[plan.jobs[key].parents["corpus"]].spec
                    assert isinstance(corpus, CorpusSpec)
                    source = corpus.corpus.source
                    ids = [f"{source.seed}-{i}" for i in range(source.test)]  # type: ignore[union-attr]
                    folder = self.store.artifact(key)
                    folder.mkdir(parents=True)
                    pq.write_table(pa.table({"item": ids * 2}), folder / "items.parquet")
                    (folder / "manifest.json").write_text(json.dumps({"key": key, "files": {}}))

    def report(self, *sets: str, benchmark: str = "sums") -> dict[str, Standing]:
        """The standing of each comparison, as a report made now says."""
        plan, ablation = self.plan(*sets), load_ablation(self.file, [*sets])
        found = []
        for _ in range(2):
            outcomes = shown(plan.cells, plan.jobs, self.store)
            assert leave_word(outcomes, self.store)
            found.append(standings(plan, outcomes, self.store, declared(ablation), factorial(ablation)).by_comparison)
        assert found[0] == found[1]  # a report made again says the same
        return {arm: one for (arm, its), one in found[0].items() if its == benchmark}

    def run(self, *sets: str, arms: Sequence[str] = ARMS) -> dict[str, Standing]:
        """Declared, evaluated, reported."""
        self.declare(*sets)
        self.evaluate(*sets, arms=arms)
        return self.report(*sets)

    def clpd(self, *words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--store", str(self.store.root)])
        assert done.exit_code == 0, done.output
        return done.output

    @property
    def looks(self) -> int:
        return sum(record.kind == "look" for record in self.store.register())


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    monkeypatch.setattr(register, "now", lambda: TIME)  # a clock that stands still: nothing is decided by it
    return History(tmp_path)


def words(found: dict[str, Standing]) -> dict[str, str]:
    return {arm: one.word for arm, one in found.items() if arm in ("data_ordering", "teacher_scheduling", "clpd")}


ALL = {"data_ordering", "teacher_scheduling", "clpd"}
CONFIRMATORY, EXPLORATORY = dict.fromkeys(ALL, "confirmatory"), dict.fromkeys(ALL, "exploratory")


def test_declared_before_any_look_is_confirmatory(history: History) -> None:
    found = history.run(EIGHT)
    assert words(found) == CONFIRMATORY
    assert found["clpd"] == Standing(
        "confirmatory",
        "Declared as record 1 of the store (2026-01-01 01:00:00 UTC), before any look had shown these arms on these "
        "test items.",
    )


def test_no_clock_decides(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets the clock back to declare is not earlier for that."""
    history.run(EIGHT)
    monkeypatch.setattr(register, "now", lambda: "1999-01-01T00:00:00+00:00")
    assert words(history.run(EIGHT, "student.training.learning_rate=5e-3")) == EXPLORATORY
    assert words(history.report(EIGHT)) == CONFIRMATORY


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param([f"student.training.learning_rate={x}" for x in (1e-3, 2e-3, 3e-3, 4e-3, 5e-3)], id="rate"),
        pytest.param([f"curriculum.pacing.strength={x}" for x in (0.1, 0.2, 0.3, 0.4, 0.5)], id="strength"),
        pytest.param([f"loss.ce_weight={x}" for x in (0.1, 0.2, 0.3, 0.4, 0.5)], id="loss"),
        pytest.param([f"curriculum.stages={x}" for x in (2, 3, 4, 5, 6)], id="stages"),
        pytest.param([f"arms.clpd.differs={{loss.ce_weight: {x}}}" for x in (0.1, 0.2, 0.3, 0.4, 0.5)], id="differs"),
        pytest.param(
            ["loss.ce_weight=0.2", "student.training.epochs=3", "curriculum.stages=3",
             "curriculum.pacing={name: partition}", "targets.temperatures=[1, 2]"], id="each another",
        ),
    ],
)  # fmt: skip
def test_fishing_over_settings_makes_the_next_declaration_exploratory(history: History, settings: list[str]) -> None:
    found = [history.run(EIGHT, one)["clpd"] for one in settings]
    assert [str(one) for one in found] == [
        "confirmatory",
        "exploratory (1 earlier look)",
        "exploratory (2 earlier looks)",
        "exploratory (3 earlier looks)",
        "exploratory (4 earlier looks)",
    ]
    assert found[-1].why == "Declared after 4 earlier looks at these test items under other settings."
    first = history.report(EIGHT, settings[0])["clpd"]
    assert str(first) == "confirmatory (1 of 5 declared settings)"  # what was declared is still what it was
    assert any("one of 5 settings of the same question" in note for note in first.notes)


def test_fishing_over_seeds_makes_the_next_declaration_exploratory(history: History) -> None:
    history.run("seeds=[0, 1, 2, 3]")
    found = history.run("seeds=[4, 5, 6, 7]")
    assert words(found) == EXPLORATORY
    assert str(found["clpd"]) == "exploratory (1 earlier look)"
    found = history.run("seeds=[8, 9, 10, 11]")
    assert str(found["clpd"]) == "exploratory (2 earlier looks)"
    assert found["clpd"].why == "Seeds 8-11 were added after 2 looks had shown seeds 0-7."


def test_settings_declared_together_and_reported_one_by_one_say_how_many_they_were(history: History) -> None:
    """The batch attack: run all, then show the best. Declared under one setting twice is one setting."""
    rates = [f"student.training.learning_rate={x}e-3" for x in (1, 2, 3)]
    for rate in rates:
        history.declare(EIGHT, rate)
        history.evaluate(EIGHT, rate)
    history.declare(TEN, rates[0])
    found = [history.report(EIGHT, rate)["clpd"] for rate in rates]
    assert [str(one) for one in found] == ["confirmatory (1 of 3 declared settings)"] * 3


def test_the_points_of_a_grid_are_declared_settings_and_no_looks_at_each_other(history: History) -> None:
    axes = "axes={curriculum.pacing.strength: [0.2, 0.4, 0.6]}"
    whole = history.plan(EIGHT, axes)
    for declaration in whole.declaration["points"].values():
        history.store.declare(declaration)
    for strength in (0.2, 0.4, 0.6):
        history.evaluate(EIGHT, f"curriculum.pacing.strength={strength}")
        found = history.report(EIGHT, f"curriculum.pacing.strength={strength}")
        assert str(found["clpd"]) == "confirmatory (1 of 3 declared settings)"
    assert str(history.run(EIGHT, "curriculum.pacing.strength=0.8")["clpd"]) == "exploratory (3 earlier looks)"


def test_a_baseline_that_another_ablation_evaluated_unseen_stays_confirmatory_and_is_said_to_be_reused(
    history: History,
) -> None:
    other = "analysis.family=[data_ordering]"
    history.declare(EIGHT, other)
    history.evaluate(EIGHT, other, arms=("standard_kd", "data_ordering"), seeds=range(4))
    history.declare(EIGHT)
    history.evaluate(EIGHT)
    found = history.report(EIGHT)
    assert words(found) == CONFIRMATORY
    reused = "evaluated for another ablation, or another declaration, before this was declared, and seen by nobody."
    assert found["clpd"].notes == (f"Reused: standard_kd (seeds 0-3), {reused}",)
    assert found["data_ordering"].notes == (f"Reused: standard_kd (seeds 0-3), data_ordering (seeds 0-3), {reused}",)


def test_a_baseline_that_was_seen_without_the_arm_stays_confirmatory_and_says_so(history: History) -> None:
    history.declare(EIGHT, "analysis.family=[data_ordering]")
    history.evaluate(EIGHT, arms=("standard_kd", "data_ordering"))
    history.report(EIGHT, "analysis.family=[data_ordering]")
    found = history.run(EIGHT)
    assert words(found) == {**CONFIRMATORY, "data_ordering": "exploratory"}
    assert str(found["data_ordering"]) == "exploratory (1 earlier look)"
    assert found["data_ordering"].why == "Declared only after a look had shown these students (seeds 0-7)."
    assert "and seen by itself, not with what it is compared with" in found["clpd"].notes[0]


def test_never_declared_is_exploratory_with_the_looks_of_before(history: History) -> None:
    history.evaluate(EIGHT)
    found = history.report(EIGHT)
    assert words(found) == EXPLORATORY
    assert str(found["clpd"]) == "exploratory"
    assert "Nothing in the store shows that this was declared" in found["clpd"].why
    other = "student.training.learning_rate=5e-3"
    history.evaluate(EIGHT, other)
    assert str(history.report(EIGHT, other)["clpd"]) == "exploratory (1 earlier look)"


def test_arms_outside_the_family_are_exploratory_whenever_declared(history: History) -> None:
    found = history.run(EIGHT, arms=(*ARMS, "sft"))
    assert found["sft"] == found["interaction"] == Standing("exploratory", "Not in the declared family.")


def test_an_interaction_was_seen_when_all_its_four_arms_were(history: History) -> None:
    family = "analysis.family=[interaction, clpd]"
    history.evaluate(EIGHT, "loss.ce_weight=0.2", arms=("standard_kd", "teacher_scheduling", "clpd"))
    history.report(EIGHT, "loss.ce_weight=0.2")
    found = history.run(EIGHT, family)
    assert (found["clpd"].word, found["interaction"].word) == ("exploratory", "confirmatory")
    assert history.run(EIGHT, family, "loss.ce_weight=0.3")["interaction"].word == "exploratory"


OTHERS = {
    "student": ["student.initial.hidden_size=16"],
    "teachers": ["models.large.seed=5"],
    "test items": ["evaluation.benchmarks.sums.corpus=many"],
    "rule of order": ["arms.clpd.order=hard_to_easy"],
    "rule of teachers": ["arms.clpd.teachers=strong_to_weak"],
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_another_question_in_the_store_does_not_disturb(history: History, what: str) -> None:
    history.run(EIGHT, *OTHERS[what])
    history.run(EIGHT, "student.training.learning_rate=5e-3", *OTHERS[what])
    found = history.run(EIGHT)["clpd"]
    assert str(found) == "confirmatory"
    assert not any("settings of the same question" in note for note in found.notes)


@pytest.mark.parametrize(
    "same",
    [
        ["corpora.sums.source.test=13"],  # `limit`, as made examples have it
        ["evaluation.batch_size=7"],
        ["arms={base: {order: shuffled, teachers: strongest}, mine: {order: easy_to_hard, teachers: weak_to_strong}}",
         "analysis={baseline: base, family: [mine], primary: {benchmark: sums, metric: response_loss}}"],
        ["models.medium={initial: small}", "arms.standard_kd.teachers=only:large"],
    ],
    ids=["one item more", "evaluated otherwise", "other names", "another way of saying it"],
)  # fmt: skip
def test_what_is_only_put_otherwise_is_the_same_question(history: History, same: list[str]) -> None:
    """Test items are the same where one of them is."""
    rest = "student.training.learning_rate=5e-3"
    history.declare(EIGHT, rest)
    history.evaluate(EIGHT, rest)
    history.report(EIGHT, rest)
    found = history.run(EIGHT, *same, arms=(*ARMS, "base", "mine"))
    assert str(found["mine" if "mine" in found else "clpd"]) == "exploratory (1 earlier look)"


def test_students_seen_before_are_not_new_because_they_are_evaluated_in_another_way(history: History) -> None:
    history.run(EIGHT)
    found = history.run(EIGHT, "evaluation.batch_size=7")
    assert words(found) == EXPLORATORY
    assert found["clpd"].why == "Declared only after a look had shown these students (seeds 0-7)."


def test_a_plug_in_is_its_bytes_and_arguments_and_not_where_it_lies(history: History) -> None:
    code = "def late(stage, stages, teachers, *, alone=1):\n    return teachers if stage > alone else 1\n"
    folder = history.file.parent
    for name, text in (("mine", code), ("moved", code), ("other/mine", code.replace("else 1", "else 2"))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
    rate = "student.training.learning_rate=5e-3"

    def rule(file: str, alone: int = 1) -> str:
        return f'arms.clpd.teachers={{name: "{file}.py:late", alone: {alone}}}'

    history.run(EIGHT, rule("mine"))
    assert history.run(EIGHT, rule("other/mine"))["clpd"].word == "confirmatory"
    assert history.run(EIGHT, rule("mine", alone=2))["clpd"].word == "confirmatory"
    assert str(history.run(EIGHT, rule("moved"), rate)["clpd"]) == "exploratory (1 earlier look)"


def test_arms_of_one_rule_were_compared_when_two_settings_of_it_were_seen(history: History) -> None:
    """The question is about a setting: a look at one alone is no look at it."""
    slow = ["arms.slow={order: shuffled, teachers: strongest, differs: {student.training.learning_rate: 4e-4}}",
            "analysis.family=[slow]"]  # fmt: skip
    history.run(EIGHT)
    assert str(history.run(EIGHT, *slow, arms=(*ARMS, "slow"))["slow"]) == "confirmatory"
    again = [slow[0].replace("4e-4", "5e-4"), slow[1]]
    assert str(history.run(EIGHT, *again, arms=(*ARMS, "slow"))["slow"]) == "exploratory (2 earlier looks)"


def test_seeds_added_after_a_look_make_exploratory(history: History) -> None:
    history.run(EIGHT)
    found = history.run(TEN)
    assert words(found) == EXPLORATORY
    assert str(found["clpd"]) == "exploratory (1 earlier look)"
    assert found["clpd"].why == "Seeds 8, 9 were added after a look had shown seeds 0-7."
    assert words(history.report(EIGHT)) == CONFIRMATORY


def test_seeds_added_before_any_look_change_nothing(history: History) -> None:
    history.declare(EIGHT)
    history.evaluate(EIGHT)
    assert words(history.run(TEN)) == CONFIRMATORY


def test_seeds_taken_out_after_a_look_are_another_declaration(history: History) -> None:
    history.run(TEN)
    assert words(history.run(EIGHT)) == EXPLORATORY


def test_looks_at_some_of_the_declared_seeds_are_said_and_change_nothing(history: History) -> None:
    history.declare(EIGHT)
    history.evaluate(EIGHT, seeds=range(5))
    assert history.report(EIGHT)["clpd"].notes == ()
    history.evaluate(EIGHT)
    found = history.report(EIGHT)
    assert words(found) == CONFIRMATORY
    assert found["clpd"].notes == ("A look was taken when 5 of 8 declared seeds were done (2026-01-01 01:00:00 UTC).",)


@pytest.mark.parametrize(
    "change",
    [
        "analysis.margin=0.01",
        "analysis.generalise_to=new_items",
        "analysis.correction=none",
        "analysis.family=[clpd]",
        "analysis.primary.metric=exact_match",
        "analysis.diverged=drop_pair",
    ],
)
def test_a_declaration_that_changes_after_a_look_is_a_new_one(history: History, change: str) -> None:
    history.run(EIGHT)
    assert history.report(EIGHT, change)["clpd"].word == "exploratory"
    assert history.run(EIGHT, change)["clpd"].word == "exploratory"


def test_a_benchmark_added_after_a_look_is_exploratory_on_its_items_and_leaves_the_old_one(history: History) -> None:
    again = "evaluation.benchmarks.again={corpus: sums, max_new_tokens: 3}"
    history.run(EIGHT)
    assert words(history.run(EIGHT, again)) == CONFIRMATORY
    assert history.report(EIGHT, again, benchmark="again")["clpd"].word == "exploratory"
    assert history.report(EIGHT, again, benchmark="macro average")["clpd"].word == "exploratory"  # it uses both


def test_show_is_a_look_and_looks_add_up(history: History) -> None:
    rate = "student.training.learning_rate=5e-3"
    history.declare(EIGHT, rate)
    plan = history.plan(EIGHT, rate)
    history.store.write_plan(plan.to_json())
    history.clpd("show", "clpd/0")
    assert history.looks == 0  # there is nothing to be seen of a student that is not evaluated, nor in what follows
    history.evaluate(EIGHT, rate)
    history.clpd("show", "clpd/0", "--why")
    history.clpd("show", "clpd/0", "--logs")
    history.clpd("show", plan.references[0].model)
    assert history.looks == 0
    history.clpd("show", "clpd/0")
    assert history.looks == 1
    history.declare(EIGHT)  # while of the baseline nothing has been seen
    history.clpd("show", next(cell.evaluations["sums"] for cell in plan.cells if cell.id == "small/standard_kd/0"))
    history.evaluate(EIGHT)
    assert words(history.report(EIGHT)) == CONFIRMATORY
    found = history.run(EIGHT, "loss.ce_weight=0.2")
    assert found["clpd"].why == "Declared after 3 earlier looks at these test items under other settings."
    assert found["data_ordering"].why == "Declared after 1 earlier look at these test items under other settings."


def test_a_cell_shown_and_its_baseline_shown_are_a_look_at_their_comparison(history: History) -> None:
    rate = "student.training.learning_rate=5e-3"
    history.store.write_plan(history.plan(EIGHT, rate).to_json())
    history.evaluate(EIGHT, rate)
    for cell in ("clpd/0", "standard_kd/3"):
        history.clpd("show", cell)
    assert words(history.run(EIGHT)) == {**CONFIRMATORY, "clpd": "exploratory"}


def test_a_store_that_cannot_be_written_is_shown_with_a_word_on_it(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.store.write_plan(history.plan(EIGHT).to_json())
    history.evaluate(EIGHT)

    def refused(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Store, "look", refused)
    assert "no word is left in it of what is shown here" in history.clpd("show", "clpd/0")


def test_ranges_of_seeds_read_well() -> None:
    assert ranges({9, 0, 1, 2, 3, 8}) == "0-3, 8, 9"
    assert ranges({4}) == "4"
