"""What is wrong with a plug-in is told before anything runs, and without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan


def told(example: Path, old: str, new: str) -> UserError:
    text = example.read_text()
    assert text.count(old) == 1
    example.write_text(text.replace(old, new))
    with pytest.raises(UserError) as raised:
        load_ablation(example)
    assert raised.value.file == example
    return raised.value


def line_of(example: Path, text: str) -> int:
    return next(i for i, line in enumerate(example.read_text().split("\n"), start=1) if text in line)


def with_function(example: Path, definition: str) -> None:
    """mine.py with another difficulty, called rare_digits."""
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text().replace("def rare_digits(", "def taken_out(") + f"\n\n{definition}\n")


def test_the_example_can_be_planned(example: Path) -> None:
    kinds = [job.kind for job in build_plan(load_ablation(example), example).jobs.values()]
    assert {"corpus", "difficulty", "model", "targets", "evaluation"} == set(kinds)


def test_a_file_that_cannot_be_executed_can_be_planned(example: Path) -> None:
    mine = example.with_name("mine.py")
    mine.write_text(mine.read_text() + "\nraise SystemExit('it was executed')\n")
    assert build_plan(load_ablation(example), example).cells


MISTAKES = {
    "an unknown argument": (
        "floor: 5",
        "flor: 5",
        "curriculum.difficulty.flor",
        ["rare_digits takes no argument 'flor'", "Did you mean 'floor'?", "mine.py:19"],
    ),
    "a missing argument": (", floor: 5", "", "curriculum.difficulty", ["rare_digits wants floor too"]),
    "a fraction for an int": ("floor: 5", "floor: 5.5", "curriculum.difficulty.floor", ["wants a whole number"]),
    "true for an int": ("floor: 5", "floor: true", "curriculum.difficulty.floor", ["wants a whole number"]),
    "text for a float": ("gap: 0.01", "gap: much", "loss.gap", ["wants a number, and 'much' is none"]),
    "an infinite argument": ("gap: 0.01", "gap: .inf", "loss.gap", ["wants finite numbers, text, lists or mappings"]),
    "a date for an argument": ("reach: 0.5", "reach: 2026-01-01", "curriculum.pacing.reach", ["wants a number"]),
    "an unknown file": (
        "mine.py:fading",
        "mime.py:fading",
        "curriculum.pacing",
        ["mime.py' cannot be read: No such file", "Did you mean 'mine.py'?"],
    ),
    "an unknown function": (
        "mine.py:late",
        "mine.py:latte",
        "arms.late.teachers",
        ["has no function 'latte'", "Did you mean 'late'?"],
    ),
    "a function of another kind": (
        'loss: {name: "mine.py:reverse_kl"',
        'loss: {name: "mine.py:rare_digits"',
        "loss",
        ["is no loss", "def rare_digits(logits, labels, targets, *, its arguments by name)"],
    ),
    "an unknown argument of a loss": ("ce_weight: 0.1", "ce_wait: 0.1", "loss.ce_wait", ["Did you mean 'ce_weight'?"]),
    "a weight out of range": ("ce_weight: 0.1", "ce_weight: 2", "loss.ce_weight", ["must be less than 1, and is 2"]),
    "a name without a function": (
        'teachers: {name: "mine.py:late", alone: 1}',
        "teachers: mine.py",
        "arms.late.teachers",
        ["unknown name 'mine.py'", "FILE.py:FUNCTION"],
    ),
    "a key of ours as an argument": ("floor: 5", "sha256: x", "curriculum.difficulty", ["may not be called sha256"]),
    "a column that is not given": (
        '{name: "mine.py:rare_digits", floor: 5}',
        "column:distances",
        "curriculum.difficulty",
        ["carries no column 'distances'", "Did you mean 'distance'?"],
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_line_key_and_nearest_name(example: Path, what: str) -> None:
    old, new, key, says = MISTAKES[what]
    error = told(example, old, new)
    assert error.key == key
    assert error.line == line_of(example, new if new else "mine.py:rare_digits")
    for part in says:
        assert part in str(error)


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ("def rare_digits(example, *, floor: int, **rest): ...", "without *args and **kwargs"),
        ("def rare_digits(example, floor: int, /): ...", "must be def rare_digits(example, "),
        ("def rare_digits(*, floor: int): ...", "must be def rare_digits(example, "),
        ("def rare_digits(example, *, floor, function=1): ...", "argument may not be called function"),
        ("def rare_digits(example, *, floor: int) return", "is no Python"),
        ("class rare_digits: ...", "has no function 'rare_digits'"),
        ("import helpers\ndef rare_digits(example, *, floor: int): ...", "imports helpers, which lies beside it"),
    ],
)
def test_a_function_that_cannot_be_called_is_told(example: Path, definition: str, says: str) -> None:
    example.with_name("helpers.py").write_text("")
    with_function(example, definition)
    with pytest.raises(UserError) as raised:
        load_ablation(example)
    assert says in str(raised.value)
    assert raised.value.file == example


def test_a_default_of_a_positional_parameter_makes_it_optional(example: Path) -> None:
    with_function(example, "def rare_digits(example, floor, base=10): ...")
    load_ablation(example)
    load_ablation(example, ["curriculum.difficulty.base=2"])


def test_what_the_run_gives_to_a_loss_is_no_argument_of_the_file(example: Path) -> None:
    example.with_name("staged.py").write_text("def mixed(logits, labels, targets, *, stage, gap): ...\n")
    load_ablation(example, ["loss={name: 'staged.py:mixed', gap: 1}"])
    with pytest.raises(UserError, match="mixed gets stage from the run, and not from the file"):
        load_ablation(example, ["loss={name: 'staged.py:mixed', gap: 1, stage: 2}"])


def test_what_an_arm_declares_is_checked_too(example: Path) -> None:
    with pytest.raises(UserError) as raised:
        load_ablation(example, ["arms.late.differs={loss.gip: 0.5}"])
    assert raised.value.key == "arms.late.differs"
    assert "takes no argument 'gip'" in str(raised.value)


def test_an_arm_may_declare_another_function_or_argument(example: Path) -> None:
    for differs in ("{loss.gap: 0.5}", "{loss: {name: mine.py:reverse_kl}}", "{curriculum.difficulty.floor: 3}"):
        file = load_ablation(example, [f"arms.late.differs={differs}"])
        assert build_plan(file, example).cells
