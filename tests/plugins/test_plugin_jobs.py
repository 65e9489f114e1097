"""What plug-ins do inside jobs: their values are used, their mistakes told as theirs, other bytes refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from clpd_bench.corpus import plugin_source as own_corpus
from clpd_bench.curriculum.pacings import blend_shares
from clpd_bench.curriculum.plugin_rules import own_shares, own_teachers
from clpd_bench.curriculum.stages import Moment
from clpd_bench.distillation.divergences import TargetRows, TokenLoss, forward_kl
from clpd_bench.errors import PluginError, UserError
from clpd_bench.outside.plugins import load
from clpd_bench.settings.parts.difficulty import DifficultyPlugin
from clpd_bench.settings.parts.loss import LossPlugin
from clpd_bench.settings.parts.pacings import PacingPlugin
from clpd_bench.settings.parts.teacher_rules import TeacherRulePlugin
from clpd_bench.settings.plugin import CorpusPlugin, Plugin, _located

NOW = Moment(1, 1, 1, 1)
LABELS = torch.tensor([1, 0, 2])


def plugin(folder: Path, source: str, kind: type[Plugin] = DifficultyPlugin, **settings: Any) -> Any:
    """The function f of a file mine.py with this source."""
    file = folder / "mine.py"
    file.write_text(source)
    return kind(name="plugin", **_located(f"{file}:f", folder), **settings)


def rows(vocabulary: int = 5, temperature: float = 1.0) -> tuple[torch.Tensor, TargetRows]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, len(LABELS), vocabulary, generator=generator, dtype=torch.float64)
    return student, TargetRows(None, teacher, torch.logsumexp(teacher / temperature, -1))


def test_an_error_names_the_users_deepest_line(tmp_path: Path) -> None:
    helper = "import json\n\ndef helper(text):\n    return json.loads(text)\n"
    asking = plugin(tmp_path, f"{helper}\ndef f(example):\n    return helper('{{')\n")
    with pytest.raises(PluginError, match=r"mine\.py:4 in helper: JSONDecodeError: Expecting property name"):
        load(asking)({})


def test_an_error_of_the_file_itself_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"mine\.py:2 in <module>: SystemExit: enough"):
        load(plugin(tmp_path, "def f(): ...\nraise SystemExit('enough')\n"))


def test_a_function_that_takes_other_arguments_is_named_without_a_line(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"mine\.py in f: missing a required argument: 'floor'"):
        load(plugin(tmp_path, "def f(example, *, floor): ..."))({})


def test_an_argument_that_it_has_not_is_told_before_it_is_called(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="got an unexpected keyword argument 'flor'"):
        load(plugin(tmp_path, "def f(example, *, floor=1): ...", arguments={"flor": 2}))


def test_changed_bytes_are_refused(tmp_path: Path) -> None:
    planned = plugin(tmp_path, "def f(example): ...\n")
    load(planned)
    (tmp_path / "mine.py").write_text("def f(example): ... \n")
    with pytest.raises(UserError, match=r"mine\.py: the file has changed since it was planned"):
        load(planned)
    (tmp_path / "mine.py").unlink()
    with pytest.raises(UserError, match=r"mine\.py: cannot be read"):
        load(planned)


def test_every_load_starts_afresh(tmp_path: Path) -> None:
    """A worker goes through many jobs: what one leaves in the module must not reach the next."""
    counting = plugin(tmp_path, "calls = []\ndef f(example):\n    calls.append(1)\n    return len(calls)\n")
    assert [load(counting)({}), load(counting)({})] == [1, 1]


def test_a_file_may_hold_dataclasses(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Box:\n    inside: int\n\ndef f(example):\n    return Box(3).inside\n"
    )
    assert load(plugin(tmp_path, source))({}) == 3


KL = """
import torch

def f(logits, labels, targets, *, temperature=1.0):
    log_p = targets.logits / temperature - targets.log_z[:, None]
    return (log_p.exp() * (log_p - torch.log_softmax(logits / temperature, -1))).sum(-1)
"""


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_loss_is_given_the_settings_temperature_and_weighed_against_cross_entropy(
    tmp_path: Path, temperature: float
) -> None:
    student, targets = rows(temperature=temperature)
    loss = TokenLoss(plugin(tmp_path, KL, LossPlugin, temperature=temperature, ce_weight=0.25))
    by_hand = (
        0.75 * forward_kl(student, targets, temperature) + 0.25 * -torch.log_softmax(student, -1)[range(3), LABELS]
    )
    torch.testing.assert_close(loss(student, LABELS, targets, None, NOW), by_hand)


def test_a_loss_is_asked_about_taught_tokens_alone(tmp_path: Path) -> None:
    student, targets = rows()
    loss = TokenLoss(plugin(tmp_path, "def f(logits, labels, targets):\n    return logits.sum(-1)\n", LossPlugin))
    value = loss(student, LABELS, targets[0:1], torch.tensor([1]), NOW)
    cross_entropy = -torch.log_softmax(student, -1)[range(3), LABELS]
    torch.testing.assert_close(value, torch.stack([cross_entropy[0], student[1].sum(), cross_entropy[2]]))


def test_a_loss_is_told_how_far_the_run_is_as_far_as_it_asks(tmp_path: Path) -> None:
    student, targets = rows()
    source = (
        "def f(logits, labels, targets, *, stage, stages, steps):\n"
        "    return labels * 0.0 + 100 * stage + 10 * stages + steps\n"
    )
    loss = TokenLoss(plugin(tmp_path, source, LossPlugin))
    assert loss(student, LABELS, targets, None, Moment(step=3, steps=8, stage=2, stages=4)).tolist() == [248.0] * 3


@pytest.mark.parametrize("returned", ["logits.sum()", "logits", "3.0"])
def test_a_loss_of_another_shape_is_refused(tmp_path: Path, returned: str) -> None:
    student, targets = rows()
    loss = TokenLoss(plugin(tmp_path, f"def f(logits, labels, targets):\n    return {returned}\n", LossPlugin))
    with pytest.raises(PluginError, match=r"in f: returned .*, and must return a loss for each token, .*\[3\]"):
        loss(student, LABELS, targets, None, NOW)


def test_shares_add_up_exactly_and_are_the_fractions_that_were_meant(tmp_path: Path) -> None:
    source = "def f(stages, *, strength):\n" + (
        "    return [[(1 - strength) / stages + strength * (j == k) for j in range(stages)] for k in range(stages)]\n"
    )
    for stages in (1, 2, 3, 7):
        shares = own_shares(plugin(tmp_path, source, PacingPlugin, arguments={"strength": 0.6}), stages)
        assert shares == blend_shares(stages, 0.6)
        assert all(sum(column) == Fraction(1) for column in zip(*shares, strict=True))


@pytest.mark.parametrize(
    "returned",
    [
        "[[1, 0], [1, 0]]",  # rows add up, columns do not
        "[[1, 1], [0, 0]]",  # columns add up, rows do not
        "[[2, -1], [-1, 2]]",
        "[[1.0]]",
        "[[0.5, 0.5], [1.0]]",
        "[[float('nan')] * 2] * 2",
        "[['x', 1], [1, 0]]",
        "None",
    ],
)
def test_shares_that_would_show_examples_unequally_often_are_refused(tmp_path: Path, returned: str) -> None:
    with pytest.raises(PluginError, match=r"mine\.py in f: returned .* 2 lists of 2 shares"):
        own_shares(plugin(tmp_path, f"def f(stages):\n    return {returned}\n", PacingPlugin), 2)


def test_a_teacher_rule_gives_a_teacher_for_each_stage(tmp_path: Path) -> None:
    source = "def f(stage, stages, teachers):\n    return teachers if stage == stages else stage - 1\n"
    rule = plugin(tmp_path, source, TeacherRulePlugin)
    assert own_teachers(rule, 3, 2) == [0, 1, 2]


@pytest.mark.parametrize("returned", ["3", "-1", "1.0", "True", "None"])
def test_a_teacher_who_is_not_there_is_refused(tmp_path: Path, returned: str) -> None:
    rule = plugin(tmp_path, f"def f(stage, stages, teachers):\n    return {returned}\n", TeacherRulePlugin)
    with pytest.raises(PluginError, match=r"must return a whole number from 0 to 2"):
        own_teachers(rule, 3, 2)


ROW = {"question": "q", "rationale": "r", "answer": "a", "columns": {"x": 1}}


def corpus(folder: Path, **rows_of: Any) -> CorpusPlugin:
    splits = {name: [{**ROW, "question": name}] for name in ("train", "validation", "test")} | rows_of
    made: CorpusPlugin = plugin(
        folder, f"from math import nan\n\n\ndef f():\n    return {splits!r}\n", CorpusPlugin, columns=("x",)
    )
    return made


def test_a_corpus_keeps_its_splits(tmp_path: Path) -> None:
    splits, ledger = own_corpus.read(corpus(tmp_path))
    assert ledger.dropped == []
    assert {name: [(e.question, e.columns) for e in examples] for name, examples in splits.items()} == {
        name: [(name, {"x": 1.0})] for name in ("train", "validation", "test")
    }


@pytest.mark.parametrize("other", ["validation", "test"])
def test_a_question_in_two_splits_is_refused(tmp_path: Path, other: str) -> None:
    with pytest.raises(
        UserError, match=rf"1 of 1 questions of the train part stands in the {other} part too, first 'train'"
    ):
        own_corpus.read(corpus(tmp_path, **{other: [{**ROW, "question": " Train"}]}))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": " "}, "has no text under 'question'"),
        ({"answer": 3}, "has no text under 'answer', but 3"),
        ({"answer": float("nan")}, "has no text under 'answer', but nan"),
        ({"question": "q\ud800"}, "has half of a surrogate pair under 'question'"),
        ({"rationale": ""}, "has no text under 'rationale'"),
        ({"columns": {}}, "has not exactly the columns"),
        ({"columns": {"x": "1"}}, "has no number in column 'x', but '1'"),
        ({"columns": {"x": float("nan")}}, "has no number in column 'x', but nan"),
        ({"columns": {"x": 10**400}}, "has no number in column 'x', but 1000"),
    ],
)
def test_an_example_that_will_not_do_is_named(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(PluginError, match=rf"mine\.py in f: test\[1\] {says}"):
        own_corpus.read(corpus(tmp_path, test=[{**ROW, "question": "fine"}, {**ROW, **row}]))


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"mine\.py in f: returned .* none empty"):
        own_corpus.read(corpus(tmp_path, test=[]))
