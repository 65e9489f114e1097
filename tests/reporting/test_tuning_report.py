"""What a report says of tuning: what was chosen out of what, at whose cost, and what to be warned of."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fabricated_report import EVIL
from figure_text import check_legible
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from page_text import Page
from pictures import sketched
from tuned_report import AXIS, RATE, RATES, TunedWorld, best_at
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.grid.tuned import TunedPoint, read_tuned
from clpd_bench.plan.tuning import plan_tuning
from clpd_bench.report.figures.style import STANDARD, styled
from clpd_bench.report.figures.tuning import is_curve, tuning
from clpd_bench.report.tuning.text import caveats, notes, warnings

ARMS = ["standard_kd", "data_ordering", "teacher_scheduling", "clpd"]


@pytest.fixture(scope="module")
def tuned_world(tmp_path_factory: pytest.TempPathFactory) -> TunedWorld:
    """`clpd` is best at an end; its report lies in `report/`."""
    made = TunedWorld(tmp_path_factory.mktemp("tuned"), best_at(clpd=4e-3))
    made.tune()
    with sketched():
        made.report()
    return made


def tuned_of(world: TunedWorld, point: str = "base") -> TunedPoint:
    return read_tuned(world.tune())[0].at(point)


def warned(world: TunedWorld) -> str:
    return "\n".join(warnings(load_ablation(world.file), tuned_of(world)))


def verdicts(folder: Path) -> list[str]:
    """The sentences of the verdict in a folder's table.md."""
    text = (folder / "table.md").read_text().split("## Primary result")[1]
    found = [line for line in text.splitlines() if line.startswith("- ") and " standard_kd on these items: " in line]
    assert [sentence.split(":")[0] for sentence in found] == [f"- {arm}" for arm in ARMS[1:]]
    return found


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
        (one,) = tuned_world.points(*sets)
        said = "\n".join(notes(one.point.ablation, tuned_of(tuned_world), str(tuned_world.file), ""))
        assert ("Tuned on other students than this file" in said) == told


def test_a_declared_tuning_that_is_not_named_is_told(tuned_world: TunedWorld) -> None:
    (said,) = notes(load_ablation(tuned_world.file), None, str(tuned_world.file), "")
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
        assert not is_curve(replace(tuned, tune=tuned.tune.model_copy(update={"space": space})))


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
    said = "\n".join(warnings(load_ablation(tuned_world.file), replace(tuned, arms=arms)))
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


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> TunedWorld:
    """At strength 0 `clpd` is best at an end, at strength 1 in the middle; its reports lie in `report/`."""
    made = TunedWorld(tmp_path_factory.mktemp("grid"), best_at(), at={"[strength=0]": best_at(clpd=4e-3)}, grid=AXIS)
    made.tune()
    made.reports()
    return made


def test_each_arm_has_at_each_point_the_best_of_that_points_trials(grid: TunedWorld) -> None:
    tuned, _ = read_tuned(grid.tune())
    for point, best in (("[strength=0]", 4e-3), ("[strength=1]", 2e-3)):
        arms = tuned.at(point).arms
        assert {name: arm.chosen[RATE] for name, arm in arms.items()} == {**dict.fromkeys(ARMS, 2e-3), "clpd": best}
        for arm in arms.values():
            means = {trial.values[RATE]: trial.mean for trial in arm.trials}
            assert min(means, key=lambda rate: means[rate] or 9) == arm.chosen[RATE]
    rates = {one.point.label: one.point.ablation.arms["clpd"].tuned[RATE] for one in grid.points()}
    assert rates == {"[strength=0]": 4e-3, "[strength=1]": 2e-3}


def test_each_points_report_shows_that_points_trials_and_says_that_it_is_tuned_there(grid: TunedWorld) -> None:
    for point, chosen, scores in (
        ("strength=0", "0.004", "1.310 ± 0.014 1.210 ± 0.014 1.010 ± 0.014"),
        ("strength=1", "0.002", "1.110 ± 0.014 1.010 ± 0.014 1.210 ± 0.014"),
    ):
        folder = grid.world.folder / "report" / point
        said = (folder / "table.md").read_text()
        assert f"clpd {chosen}. Tuned at this point, [{point}], by its own trials." in said
        assert "Tuned on other students" not in said
        (row,) = re.findall(r"^clpd .*", Page(folder / "report.html").sections["tuning"], re.MULTILINE)
        assert row.split()[1] == chosen
        assert scores in row


def test_the_verdict_says_that_arms_were_tuned_and_whose_value_is_at_an_end(grid: TunedWorld) -> None:
    report = grid.world.folder / "report"
    tuned = f"Each arm tuned over {RATE}"
    assert all(f" {tuned}. " in sentence for sentence in verdicts(report / "strength=1"))
    end = "clpd's learning rate is the largest that was tried"
    assert all(f" {tuned}; {end}. " in sentence for sentence in verdicts(report / "strength=0"))
    axes = (report / "axes.md").read_text()
    assert f"- Found at strength=0: each arm tuned over {RATE}; {end}.\n" in axes
    assert f"- Found at strength=1: each arm tuned over {RATE}.\n" in axes


def test_an_untuned_report_says_so_in_every_sentence_of_its_verdict(folder: Path) -> None:
    assert all(" At one learning rate for all arms, not tuned. " in sentence for sentence in verdicts(folder))


@pytest.mark.parametrize(
    ("differs", "told"),
    [
        ("arms.sft.differs", "at one learning rate for all compared arms, not tuned"),
        ("arms.clpd.differs", "at learning rates set by hand, not tuned"),
    ],
)
def test_learning_rates_that_an_arm_sets_for_itself_are_not_called_one(
    tuned_world: TunedWorld, differs: str, told: str
) -> None:
    ablation = load_ablation(tuned_world.file, ["tune=null", f"{differs}={{{RATE}: 5e-4}}"])
    assert caveats(ablation, None) == [told]


ONE, TUNED, OTHER = "at one learning rate for all arms", f"each arm tuned over {RATE}", "loss.ce_weight: [0.0, 0.5]"


@pytest.mark.parametrize(
    ("tune", "told"),
    [
        (f"space={{{RATE}: [1e-3, 2e-3], {OTHER}}}", [f"{TUNED}, loss.ce_weight"]),
        (f"space={{{OTHER}}}", [ONE, "each arm tuned over loss.ce_weight"]),
        (f"space={{{RATE}: [1e-3], {OTHER}}}", [ONE, "each arm tuned over loss.ce_weight"]),
        (f"space={{{RATE}: [1e-3]}}", [f"{ONE}, not tuned"]),
        ("arms=[sft]", [f"{ONE}, not tuned"]),
        ("arms=[clpd]", [f"tuned over {RATE} in clpd, not in standard_kd, data_ordering, teacher_scheduling"]),
    ],
)
def test_what_is_said_of_the_learning_rate_is_what_was_tried_for_compared_arms(
    tuned_world: TunedWorld, tune: str, told: list[str]
) -> None:
    ablation = load_ablation(tuned_world.file, [f"tune.{tune}"])
    assert ablation.tune
    arm = tuned_of(tuned_world).arms["data_ordering"]
    chosen = {key: values[0] for key, values in ablation.tune.space.items()}
    mine = arm.model_copy(update={"chosen": chosen, "edges": ()})
    arms = dict.fromkeys(ablation.tune.arms or ARMS, mine)
    assert caveats(ablation, TunedPoint(ablation.tune, arms)) == told


def test_ends_that_arms_share_are_told_together(tuned_world: TunedWorld) -> None:
    ablation, tuned = load_ablation(tuned_world.file), tuned_of(tuned_world)
    low, high = (
        tuned.arms["clpd"].model_copy(update={"chosen": {RATE: rate}, "edges": (RATE,)}) for rate in (1e-3, 4e-3)
    )
    some = {**dict.fromkeys(ARMS, high), "clpd": low}
    assert caveats(ablation, replace(tuned, arms=some))[1:] == [
        "standard_kd, data_ordering, teacher_scheduling's learning rate is the largest that was tried",
        "clpd's learning rate is the smallest that was tried",
    ]
    assert caveats(ablation, replace(tuned, arms=dict.fromkeys(ARMS, low)))[1:] == [
        "every arm's learning rate is the smallest that was tried"
    ]


def test_what_is_printed_has_a_table_for_each_point_and_names_the_point_of_a_warning(
    grid: TunedWorld, tmp_path: Path
) -> None:
    command = ["--store", str(grid.world.store.root)]
    said = CliRunner().invoke(app, ["tune", str(grid.file), *command], env={"COLUMNS": "200"}).stdout
    heads = [said.index(f"At the point [strength={value}]:") for value in (0, 1)]
    assert said.count("teacher_scheduling") == 2
    assert "0.004" in said[heads[0] : heads[1]]
    assert (
        f"Warning: [strength=0]: On the edge of what was tried, so that a better value may lie beyond: {RATE}" in said
    )
    assert "[strength=1]: On the edge" not in said
    plan = CliRunner().invoke(app, ["plan", str(grid.file), "--store", str(tmp_path)], env={"COLUMNS": "200"}).stdout
    assert f"Tuning: 2 points x 4 arms x 3 trials ({RATE}) x 2 seeds (100, 101): 36 students; " in plan


def test_nothing_is_chosen_for_an_arm_that_diverged_at_one_point(tmp_path: Path) -> None:
    world = TunedWorld(
        tmp_path,
        best_at(),
        at={"[strength=1]": lambda arm, rate, seed: None if arm == "clpd" else best_at()(arm, rate, seed)},
        grid=AXIS,
    )
    with pytest.raises(UserError, match=r"every trial of arm 'clpd' diverged at the point \[strength=1\],"):
        world.tune()
