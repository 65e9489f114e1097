"""From a file to settings: overrides, paths, what arms declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import resolve
from clpd_bench.settings.parts.sources import Jsonl


def with_jsonl(small: Path, train: str, test: str) -> Ablation:
    source = f"{{name: jsonl, train: '{train}', test: '{test}', rationale: why}}"
    return load_ablation(small, [f"corpora.sums.source={source}"])


def source(ablation: Ablation) -> Jsonl:
    found = ablation.corpora["sums"].source
    assert isinstance(found, Jsonl)
    return found


@pytest.mark.parametrize(
    ("text", "value"), [("2", 2), ("3", 3), (" 4", 4)], ids=["two", "three", "space before the value"]
)
def test_set_replaces_a_value_of_the_file(small: Path, text: str, value: int) -> None:
    assert load_ablation(small, [f"student.training.epochs={text}"]).student.training.epochs == value


def test_set_reads_values_as_yaml(small: Path) -> None:
    ablation = load_ablation(
        small,
        ["seeds=[3, 4, 5]", "student.training.learning_rate=1e-5", "question=", "question='a=b'", "seeds.0=7"],
    )
    assert ablation.seeds == (7, 4, 5)
    assert ablation.student.training.learning_rate == 0.00001
    assert ablation.question == "a=b"


def test_set_makes_mappings_that_the_file_leaves_to_their_defaults(small: Path) -> None:
    assert load_ablation(small, ["targets.top_k=5"]).targets.top_k == 5


def test_the_last_of_two_sets_of_one_key_counts(small: Path) -> None:
    assert load_ablation(small, ["curriculum.stages=3", "curriculum.stages=4"]).curriculum.stages == 4


def test_relative_paths_start_at_the_ablation_file(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "data" / name).write_text("{}")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    found = source(with_jsonl(small, "data/a.jsonl", str(tmp_path / "data/b.jsonl")))
    assert (found.train, found.test) == (tmp_path / "data/a.jsonl", tmp_path / "data/b.jsonl")


def test_environment_variables_and_home_in_paths_are_expanded(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setenv("CLPD_TEST_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = source(with_jsonl(small, "${CLPD_TEST_DATA}/a.jsonl", "$CLPD_TEST_DATA/b.jsonl"))
    assert (found.train, found.test) == (tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert source(with_jsonl(small, "~/c.jsonl", "~/a.jsonl")).train == tmp_path / "c.jsonl"


def test_an_arm_sees_what_it_declares_and_others_do_not(small: Path) -> None:
    ablation = load_ablation(small, ["arms.clpd.differs={student.training.learning_rate: 0.5, loss.ce_weight: 0.25}"])
    mine, other = resolve(ablation, "clpd"), resolve(ablation, "standard_kd")
    assert (mine.student.training.learning_rate, mine.loss.ce_weight) == (0.5, 0.25)
    assert (other.student.training.learning_rate, other.loss.ce_weight) == (0.001, 0.0)


def test_a_name_alone_is_short_for_a_mapping_with_it(small: Path) -> None:
    short = load_ablation(small, ["curriculum.difficulty=column:operations", "corpora.many.tokenizer=same_as:sums"])
    long = load_ablation(
        small,
        [
            "curriculum.difficulty={name: column, column: operations}",
            "corpora.many.tokenizer={name: same_as, corpus: sums}",
            "arms.clpd.order={name: easy_to_hard}",
        ],
    )
    assert short == long


def test_settings_cannot_be_changed_once_they_are_read(small: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_ablation(small).student.training.epochs = 3


@pytest.mark.parametrize("text", ["student.training.epochs", "=3", "student..epochs=3", ".=1", ""])
def test_a_set_of_another_form_is_refused_with_an_example(small: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"is not of the form key\.path=value\. For example --set student"):
        load_ablation(small, [text])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "models.smal.training.epochs=2",
            r"models\.smal: --set reaches .*Did you mean 'small'\? Allowed: small, large",
        ),
        ("seeds.7=1", r"seeds\.7: --set wants place '7' of a list of 2"),
        ("question.x=1", r"question\.x: --set reaches into question, .* has no keys"),
        ("seeds.0.x=1", r"seeds\.0\.x: --set reaches into seeds\.0, which is '0'"),
        ("student.training.epoch=1", r"student\.training\.epoch: unknown key.*Did you mean 'epochs'\?"),
        ("curiculum.stages=3", r"curiculum: unknown key.*Did you mean 'curriculum'\?"),
        ("seeds=[1", r"--set 'seeds=\[1': not valid YAML"),
        ("student={epochs: 1, epochs: 2}", r"--set 'student=.*stands here again"),
    ],
)
def test_a_set_into_nowhere_is_refused(small: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_ablation(small, [text])


def test_a_value_that_set_gave_is_not_blamed_on_a_line_of_the_file(small: Path) -> None:
    with pytest.raises(UserError, match=r"student\.training\.epochs: wants a whole number, .* \(as --set") as told:
        load_ablation(small, ["student.training.epochs=two"])
    assert (told.value.file, told.value.line) == (small, None)
