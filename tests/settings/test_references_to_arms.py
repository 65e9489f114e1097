"""Arms that are made from other arms, and names that go together or do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from refusal import refused

from clpd_bench.grid.load import load_ablation
from clpd_bench.settings.parts.curriculum import shorthand_of
from clpd_bench.settings.parts.difficulty import CotSteps, LengthResidual, StudentLoss
from clpd_bench.settings.parts.orders import Permuted
from clpd_bench.settings.parts.pacings import Mixed


def explained(small: Path, *sets: str) -> str:
    return str(refused(small, *sets)).replace(" (as --set gives it)", "")


def test_a_name_and_its_argument_may_be_written_short(small: Path) -> None:
    a = load_ablation(
        small,
        [
            "arms.same={order: 'permuted:clpd', teachers: 'only:small'}",
            "curriculum.difficulty=length_residual:student_loss:small",
            "curriculum.pacing=mixed:0.25",
            "curriculum.match=tokens",
        ],
    )
    assert a.arms["same"].order == Permuted(name="permuted", of="clpd")
    assert shorthand_of(a.arms["same"].teachers) == "only:small"
    inner = StudentLoss(name="student_loss", model="small")
    assert a.curriculum.difficulty == LengthResidual(name="length_residual", difficulty=inner)
    assert shorthand_of(a.curriculum.difficulty) == "length_residual:student_loss:small"
    assert a.curriculum.pacing == Mixed(name="mixed", replay=0.25)
    by_steps = load_ablation(small, ["curriculum.difficulty=cot_steps:lines"])
    assert by_steps.curriculum.difficulty == CotSteps(name="cot_steps", splitter="lines")


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ("{order: 'permuted:cldp', teachers: strongest}", "there is no arm 'cldp'. Did you mean 'clpd'?"),
        ("{order: shuffled, teachers: 'by_difficulty:cldp'}", "there is no arm 'cldp'. Did you mean 'clpd'?"),
        ("{order: shuffled, teachers: 'by_difficulty:sft'}", "from arm 'sft', which has none"),
        ("{order: shuffled, teachers: 'only:lrge'}", "there is no teacher 'lrge'. Did you mean 'large'?"),
        ("{order: permuted, teachers: strongest}", "'permuted' wants its of too. Write permuted:<of>."),
        ("{order: 'permuted:new', teachers: strongest}", "and that one in the end from 'new'"),
        (
            "{order: 'permuted:clpd', teachers: strongest, differs: {curriculum.pacing.strength: 1}}",
            "from arm 'clpd', and the two differ in curriculum",
        ),
        (
            "{order: 'permuted:clpd', teachers: strongest, differs: {student.training.epochs: 3}}",
            "from arm 'clpd', and the two differ in student.training",
        ),
    ],
)
def test_an_arm_that_refers_to_what_it_cannot_have_is_refused(small: Path, arm: str, said: str) -> None:
    message = explained(small, f"arms.new={arm}")
    assert "arms.new" in message
    assert said in message


def test_a_circle_of_arms_is_refused(small: Path) -> None:
    """Through orders and teachers alike."""
    one = "arms.one={order: 'permuted:two', teachers: strongest}"
    two = "arms.two={order: shuffled, teachers: 'by_difficulty:one'}"
    assert "and that one in the end from 'one'" in explained(small, one, two)


@pytest.mark.parametrize("pacing", ["cumulative", "'mixed:0.3'"])
def test_pacings_that_show_easy_data_more_often_cannot_match_in_exposure(small: Path, pacing: str) -> None:
    message = explained(small, f"curriculum.pacing={pacing}")
    assert "cannot match in exposure; write match: tokens" in message
    load_ablation(small, [f"curriculum.pacing={pacing}", "curriculum.match=tokens"])


@pytest.mark.parametrize("pacing", ["partition", "{name: blend, strength: 0.5}"])
def test_pacings_of_equal_exposure_do_not_match_in_tokens_alone(small: Path, pacing: str) -> None:
    message = explained(small, f"curriculum.pacing={pacing}", "curriculum.match=tokens")
    assert "leave out match: tokens" in message


def test_pairs_of_a_drawn_arm_want_its_presentations(small: Path) -> None:
    drawn = ["curriculum.pacing=cumulative", "curriculum.match=tokens"]
    arm = "arms.new={{order: {}, teachers: 'by_difficulty:clpd'}}"
    assert "Give the arm `order: permuted:clpd`" in explained(small, *drawn, arm.format("shuffled"))
    for order in ("'permuted:clpd'", "easy_to_hard"):
        load_ablation(small, [*drawn, arm.format(order)])


@pytest.mark.parametrize("rule", ["strong_to_weak", "random", "anti_aligned", "last_teacher"])
def test_rules_by_stage_want_stages(small: Path, rule: str) -> None:
    arms = "arms={kd: {order: shuffled, teachers: strongest}, new: {order: shuffled, teachers: RULE}}".replace(
        "RULE", rule
    )
    analysis = "analysis={baseline: kd, family: [new], primary: {benchmark: sums, metric: response_loss}}"
    message = explained(small, arms, analysis, "curriculum.stages=1")
    assert "arm 'new'" in message
    assert "Set curriculum.stages to 2 or more" in message


@pytest.mark.parametrize(
    ("difficulty", "said"),
    [
        ("student_loss:smal", "there is no model 'smal'. Did you mean 'small'?"),
        ("teacher_loss:lrge", "there is no teacher 'lrge'. Did you mean 'large'?"),
        ("length_residual:teacher_loss:lrge", "there is no teacher 'lrge'. Did you mean 'large'?"),
        ("length_residual:column:hops", "carries no column 'hops'"),
        ("cot_steps:words", "unknown value 'words'"),
        ("length_residual:length_residual:cot_tokens", "unknown name 'length_residual:cot_tokens'"),
    ],
)
def test_a_difficulty_that_names_what_is_not_there_is_refused(small: Path, difficulty: str, said: str) -> None:
    message = explained(small, f"curriculum.difficulty={difficulty}")
    assert "curriculum.difficulty" in message
    assert said in message


NO_DIFFICULTY = "curriculum={stages: 2, difficulty: null, pacing: partition}"


@pytest.mark.parametrize(
    ("order", "teachers"),
    [
        ("easy_to_hard", "strongest"),
        ("hard_to_easy", "strongest"),
        ("shuffled_stages", "none"),
        ("homogeneous", "none"),
        ("shuffled", "anti_aligned"),
        ("permuted:ordered", "none"),
        ("shuffled", "by_difficulty:ordered"),
    ],
)
def test_an_arm_that_follows_a_difficulty_is_refused_without_one(small: Path, order: str, teachers: str) -> None:
    arms = f"arms={{new: {{order: '{order}', teachers: '{teachers}'}}, kd: {{order: shuffled, teachers: strongest}}"
    arms += ", ordered: {order: easy_to_hard, teachers: weak_to_strong}}" if "ordered" in order + teachers else "}"
    analysis = "analysis={baseline: kd, family: [new], primary: {benchmark: sums, metric: response_loss}}"
    load_ablation(small, [arms, analysis])
    message = explained(small, arms, analysis, NO_DIFFICULTY)
    assert "curriculum.difficulty: arm 'new'" in message
    assert "Name a difficulty" in message


def test_what_follows_no_difficulty_needs_none_and_without_stages_no_curriculum(small: Path) -> None:
    shuffled = "kd: {order: shuffled, teachers: strongest}, sft: {order: shuffled, teachers: none}"
    analysis = "analysis={baseline: kd, family: [sft], primary: {benchmark: sums, metric: response_loss}}"
    staged = load_ablation(
        small, [f"arms={{{shuffled}, new: {{order: random_stages, teachers: random}}}}", analysis, NO_DIFFICULTY]
    )
    assert staged.curriculum.difficulty is None
    text = small.read_text()
    (line,) = (line for line in text.splitlines(keepends=True) if line.startswith("curriculum:"))
    small.write_text(text.replace(line, ""))
    assert load_ablation(small, [f"arms={{{shuffled}}}", analysis]).curriculum.stages == 1
    error = refused(small, f"arms={{{shuffled}, new: {{order: shuffled, teachers: random}}}}", analysis)
    assert "cannot seat" in str(error)


def test_a_scoring_model_reads_the_students_tokens(small: Path) -> None:
    """Their own losses are over another vocabulary."""
    corpus = "corpora.other={source: {name: chained_sums, train: 9}, tokenizer: characters, max_tokens: 60}"
    shape = "{name: llama, hidden_size: 8, num_attention_heads: 2}"
    model = f"models.foreign={{initial: {shape}, corpus: other, training: {{steps: 2, learning_rate: 1e-3}}}}"
    message = explained(small, corpus, model, "curriculum.difficulty=student_loss:foreign")
    assert "model 'foreign', whose loss is the difficulty, reads corpus 'other'" in message
