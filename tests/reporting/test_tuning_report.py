"""What a report says of tuning: what was chosen out of what, at whose cost, and what to be warned of."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from fabricated_report import EVIL
from figure_text import check_legible
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from page_text import Page
from tuned_report import RATE, RATES, TunedWorld, best_at
from typer.testing import CliRunner

from clpd_bench.cli import app
from clpd_bench.errors import UserError
from clpd_bench.plan.tuning import plan_tuning
from clpd_bench.reporting.figures.style import STANDARD, styled
from clpd_bench.reporting.figures.tuning import is_curve, tuning
from clpd_bench.reporting.tuning.text import notes
from clpd_bench.reporting.tuning.warnings import warnings
from clpd_bench.settings.load import load_ablation
from clpd_bench.settings.tuned import Tuned
from clpd_bench.settings.tuned_file import read_tuned

ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]


@pytest.fixture(scope="module")
def tuned_world(tmp_path_factory: pytest.TempPathFactory) -> TunedWorld:
    """`clpd` is best at an end; its report lies in `report/`."""
    made = TunedWorld(tmp_path_factory.mktemp("tuned"), best_at(clpd=4e-3))
    made.tune()
    made.report()
    return made


def tuned_of(world: TunedWorld) -> Tuned:
    return read_tuned(world.tune())[0]


def warned(world: TunedWorld) -> str:
    return "\n".join(warnings(load_ablation(world.file), tuned_of(world)))


def test_chosen_is_the_least_mean_loss_over_tuning_seeds(tuned_world: TunedWorld) -> None:
    tuned = tuned_of(tuned_world)
    assert {name: arm.chosen[RATE] for name, arm in tuned.arms.items()} == {**dict.fromkeys(ARMS, 2e-3), "clpd": 4e-3}
    assert [trial.mean for trial in tuned.arms["clpd"].trials] == pytest.approx([1.31, 1.21, 1.01])
    assert [trial.sd for trial in tuned.arms["clpd"].trials] == pytest.approx([0.02 / 2**0.5] * 3)


def test_accuracy_is_chosen_at_its_most(tmp_path: Path) -> None:
    accuracy = {1e-3: 0.2, 2e-3: 0.5, 4e-3: 0.5}
    world = TunedWorld(tmp_path, lambda arm, rate, seed: accuracy[rate], metric="sequence_accuracy")
    assert {arm.chosen[RATE] for arm in tuned_of(world).arms.values()} == {2e-3}


def test_table_and_page_say_what_was_chosen_out_of_what(tuned_world: TunedWorld) -> None:
    folder = tuned_world.world.folder / "report"
    said = (folder / "table.md").read_text()
    assert (
        f"Tuned by validation response_loss (lower is better), never on test items: {RATE} over 0.001, 0.002, 0.004. "
        "Every tuned arm had 3 trials x 2 seeds of their own (100, 101). Chosen: standard_kd 0.002; "
        "data_ordering 0.002; teacher_scheduling 0.002; clpd 0.004." in said
    )
    section = Page(folder / "report.html").sections["tuning"]
    assert "1.210 ± 0.014" in section
    assert all(arm in section for arm in ARMS)
    assert (folder / "figures" / "tuning.pdf").is_file()


def test_a_value_on_the_edge_is_warned_of_by_name_and_arm(tuned_world: TunedWorld) -> None:
    assert f"{RATE} = 0.004 (clpd)." in warned(tuned_world)
    assert tuned_of(tuned_world).arms["clpd"].edges == (RATE,)
    assert {arm.edges for name, arm in tuned_of(tuned_world).arms.items() if name != "clpd"} == {()}


def test_no_warning_where_all_is_well(tmp_path: Path) -> None:
    world = TunedWorld(tmp_path, best_at())
    assert warned(world) == f"Not tuned, and with the file's own values: sft, {EVIL} (beside the comparison)."


def test_a_compared_arm_that_is_not_tuned_is_an_unequal_budget(tmp_path: Path) -> None:
    world = TunedWorld(tmp_path, best_at(), arms="[clpd, sft]")
    assert (
        "Unequal budgets: standard_kd, data_ordering, teacher_scheduling are compared with tuned arms and not tuned"
        in warned(world)
    )


def test_a_diverged_trial_is_told_and_not_chosen(tmp_path: Path) -> None:
    def score(arm: str, rate: float, seed: int) -> float | None:
        return None if (arm, rate, seed) == ("clpd", 2e-3, 101) else best_at()(arm, rate, seed)

    world = TunedWorld(tmp_path, score)
    arm = tuned_of(world).arms["clpd"]
    assert arm.chosen[RATE] == 1e-3
    assert [(trial.mean is None, trial.diverged) for trial in arm.trials] == [(False, 0), (True, 1), (False, 0)]
    assert "Trials that diverged, which counts as the worst score: clpd at 0.002 (1 of 2)." in warned(world)


def test_nothing_is_chosen_for_an_arm_that_always_diverged(tmp_path: Path) -> None:
    world = TunedWorld(tmp_path, lambda arm, rate, seed: None if arm == "clpd" else 1.0)
    with pytest.raises(UserError, match="every trial of arm 'clpd' diverged"):
        world.tune()


def test_trials_that_this_file_would_no_longer_make_are_told(tuned_world: TunedWorld) -> None:
    tuned_world.tune()
    for sets, told in (([], False), (["student.training.clip=2"], True)):
        ablation = load_ablation(tuned_world.file, ["tuned=tiny.tuned.yaml", *sets])
        said = "\n".join(notes(ablation, str(tuned_world.file), ""))
        assert ("Tuned on other students than this file" in said) == told
    at_a_point = "\n".join(notes(ablation, str(tuned_world.file), "[strength=0]"))
    assert "Tuned on other students" not in at_a_point
    assert "Tuned once, at the base of the grid" in at_a_point


def test_a_declared_tuning_that_is_not_named_is_told(tuned_world: TunedWorld) -> None:
    (said,) = notes(load_ablation(tuned_world.file), str(tuned_world.file), "")
    assert said.startswith("Not tuned: the file declares tuning over student.training.learning_rate")


def test_curves_show_every_seed_and_mark_what_was_chosen(tuned_world: TunedWorld) -> None:
    tuned = tuned_of(tuned_world)
    with styled():
        figure = tuning(tuned)
        figure.draw_without_rendering()
    check_legible(figure)
    (axes,) = figure.axes
    dots = [artist for artist in axes.collections if isinstance(artist, PathCollection)]
    assert [len(artist.get_offsets()) for artist in dots] == [6] * 4
    lines = {line.get_gid(): line for line in axes.lines if line.get_gid()}
    clpd = lines["arm:clpd"]
    assert isinstance(clpd, Line2D)
    assert list(clpd.get_xdata()) == list(RATES)
    assert list(clpd.get_ydata()) == pytest.approx([1.31, 1.21, 1.01])
    assert clpd.get_color() == STANDARD["clpd"].color
    (marker,) = (line for line in axes.lines if line.get_marker() == STANDARD["clpd"].marker)
    assert (list(marker.get_xdata()), list(marker.get_ydata())) == ([4e-3], [pytest.approx(1.01)])


def test_several_settings_or_names_make_no_curve(tuned_world: TunedWorld) -> None:
    tuned = tuned_of(tuned_world)
    assert is_curve(tuned)
    for space in ({RATE: (1e-3, 2e-3), "loss.ce_weight": (0, 0.5)}, {"loss": ({}, {"ce_weight": 0.5})}, {RATE: (1,)}):
        assert not is_curve(tuned.model_copy(update={"tune": tuned.tune.model_copy(update={"space": space})}))


def test_plan_tells_the_size_and_marks_what_was_tuned(tuned_world: TunedWorld, tmp_path: Path) -> None:
    tuned_world.tune()
    command = ["plan", str(tuned_world.file), "--store", str(tmp_path)]
    plain = CliRunner().invoke(app, command, env={"COLUMNS": "200"}).stdout
    size = f"Tuning: 4 arms x 3 trials ({RATE}) x 2 seeds (100, 101): 24 students; "
    assert f"{size}not done or not named: clpd tune {tuned_world.file}" in plain
    tuned = CliRunner().invoke(app, [*command, "--set", "tuned=tiny.tuned.yaml"], env={"COLUMNS": "200"}).stdout
    assert f"{size}chosen values from tiny.tuned.yaml" in tuned
    rows = [line.split()[-2:] for line in tuned.splitlines() if f"{RATE} (tuned)" in line]
    assert rows.count(["0.002", "0.004"]) == 1  # clpd; arms beside the comparison have the file's 0.001
    assert all(row == ["0.002", "0.001"] for row in rows if row != ["0.002", "0.004"])
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)["tuning"]
    assert (found["students"], found["trials"], found["tuned"]) == (24, 3, None)


def test_a_failure_to_write_leaves_the_older_file(tuned_world: TunedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tuned_world.tune()
    before = file.read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UserError, match="cannot be written beside the ablation file: Permission denied"):
        tuned_world.tune()
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"students": 2}, "what was tuned does not reach every arm alike; different students: standard_kd 6, "),
        ({"tokens": 5900}, "training tokens of all trials: standard_kd 6,000, "),
        ({"tokens": 5990}, None),
    ],
)
def test_budgets_that_are_not_equal_are_warned_of(
    tuned_world: TunedWorld, changed: dict[str, int], told: str | None
) -> None:
    tuned = tuned_of(tuned_world)
    less = tuned.arms["clpd"].budget.model_copy(update=changed)
    arms = {**tuned.arms, "clpd": tuned.arms["clpd"].model_copy(update={"budget": less})}
    said = "\n".join(warnings(load_ablation(tuned_world.file), tuned.model_copy(update={"arms": arms})))
    assert ("Unequal budgets" in said) == (told is not None)
    assert told is None or told in said


def test_a_setting_that_does_nothing_in_an_arm_shows_in_its_students(tmp_path: Path) -> None:
    world = TunedWorld(tmp_path, best_at(), arms="[standard_kd, sft]")
    ablation = load_ablation(world.file, ["tune.space={loss.ce_weight: [0, 0.5]}"])
    trials = plan_tuning(ablation, world.file).trials
    students = {(trial.arm, key) for trial in trials for key in trial.students.values()}
    assert Counter(arm for arm, _ in students) == {"standard_kd": 4, "sft": 2}


class OfChosenCheckpoints(TunedWorld):
    """Students whose weights are those of a checkpoint; at the last step they were the other way round."""

    def _score(self, key: str, score: float | None) -> None:
        super()._score(key, score)
        assert score is not None
        details = self.world.fields[self.tuning().plan.jobs[key].label]["details"]
        details |= {"chosen": {self.metric: score}, "validation": {self.metric: 9 - score}}


def test_a_student_of_which_a_checkpoint_was_chosen_is_judged_by_it(tmp_path: Path) -> None:
    tuned = tuned_of(OfChosenCheckpoints(tmp_path, best_at()))
    assert {arm.chosen[RATE] for arm in tuned.arms.values()} == {2e-3}
    assert tuned.arms["clpd"].mean == pytest.approx(1.01)
