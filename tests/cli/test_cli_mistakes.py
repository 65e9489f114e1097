"""A mistake is one paragraph on standard error, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clpd_bench.cli import app
from clpd_bench.launch import run

SUMS = "{name: chained_sums, operations: [1, 3], train: 60, validation: 10, test: 12}"
Clpd = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def clpd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Path) -> Clpd:
    """Runs the command in this process: (exit code, standard output, standard error)."""
    monkeypatch.setenv("CLPD_STORE", str(store))
    monkeypatch.setenv("COLUMNS", "500")

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["clpd", *map(str, arguments)])
        capsys.readouterr()
        try:
            app.main()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def refused(result: tuple[int, str, str]) -> str:
    """The one paragraph of a refusal."""
    code, out, err = result
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith(".\n")
    assert "" not in err.rstrip("\n").split("\n")  # one paragraph: no empty line
    return " ".join(err.split())


def jsonl_corpus(small: Path, train: list[dict[str, str]], test: list[dict[str, str]]) -> None:
    for name, rows in (("train", train), ("test", test)):
        (small.parent / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = "{name: jsonl, train: train.jsonl, test: test.jsonl, rationale: why, validation: 0.3}"
    text = small.read_text().replace(SUMS, source, 1)
    small.write_text(text.replace("tokenizer: characters", "tokenizer: {name: bpe, vocabulary_size: 300}"))


def rows(n: int, start: int = 0) -> list[dict[str, str]]:
    return [{"question": f"{i}?", "why": f"{i}=", "answer": str(i)} for i in range(start, start + n)]


@pytest.mark.parametrize("verb", ["plan", "run", "status", "report", "retry"])
def test_every_verb_refuses_a_mistake_in_the_file_and_writes_nothing(
    verb: str, small: Path, clpd: Clpd, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small.write_text(small.read_text().replace("epochs: 2", "epoch: 2"))
    text = refused(clpd(verb, small))
    assert f"{small}:27: student.training.epoch: unknown key. Did you mean 'epochs'?" in text
    assert sorted(tmp_path.iterdir()) == [small]


@pytest.mark.parametrize("verb", ["plan", "run", "status", "report", "retry"])
def test_every_verb_refuses_a_mistake_in_a_set(verb: str, small: Path, clpd: Clpd, store: Path) -> None:
    text = refused(clpd(verb, small, "--set", "seeds=[0]"))
    assert f"{small}: seeds: a paired test over seeds wants at least 2 of them, and there is 1" in text
    assert "is not of the form key.path=value" in refused(clpd(verb, small, "--set", "seeds"))
    assert not store.exists()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("smal.yaml", "there is no such ablation file. Did you mean"),
        ("", "cannot be read: Is a directory."),
        ("list.yaml", "an ablation file is a mapping of settings"),
        ("broken.yaml", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_ablation_is_refused(small: Path, clpd: Clpd, store: Path, file: str, says: str) -> None:
    (small.parent / "list.yaml").write_text("- a\n")
    (small.parent / "broken.yaml").write_text("a: [\n")
    text = refused(clpd("plan", small.parent / file))
    assert says in text
    assert text.startswith(str(small.parent / file))
    assert not store.exists()


def test_a_missing_data_file_is_told_when_planning(small: Path, clpd: Clpd, store: Path) -> None:
    jsonl_corpus(small, rows(30), rows(5, 1000))
    (small.parent / "train.jsonl").unlink()
    text = refused(clpd("plan", small))
    assert "corpora.sums.source.train: there is no file" in text
    assert f"{small}:5:" in text
    assert not store.exists()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"question": "q", "why": "w"}', "train.jsonl:3: this row has no field 'answer'. Allowed: question, why."),
        ('{"question": "q", ', "train.jsonl:3: not valid JSON"),
        (
            '{"question": "1001?", "why": "w", "answer": "a"}',
            "train.jsonl:3: 1 of 31 questions of the training part stands in the test part",
        ),
        (json.dumps({"question": "0123456789" * 6, "why": "w", "answer": "a"}), "train.jsonl:3: max_tokens: a "),
    ],
    ids=["no field", "no JSON", "overlap", "too long"],
)
@pytest.mark.parametrize("command", [["plan", "--corpus"], ["run", "--workers", "1"]], ids=["plan", "run"])
def test_bad_data_is_told_before_any_training(
    small: Path, clpd: Clpd, store: Path, row: str, says: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "run_here", lambda *_: pytest.fail("training has begun"))
    jsonl_corpus(small, rows(30), rows(5, 1000))
    lines = (small.parent / "train.jsonl").read_text().split("\n")
    (small.parent / "train.jsonl").write_text("\n".join([*lines[:2], row, *lines[2:]]))
    assert clpd("plan", small)[0] == 0  # without data nothing is known to be wrong
    text = refused(clpd(command[0], small, *command[1:]))
    assert says in text
    assert "corpus sums: " in text
    made = [json.loads(file.read_text())["kind"] for file in (store / "artifacts").glob("*/manifest.json")]
    assert made == []  # the other corpus waits for this one's tokenizer


def test_a_test_question_in_another_corpus_is_told_with_both(small: Path, clpd: Clpd, store: Path) -> None:
    # Of two files, each apart from its own test file: the teachers' holds what the student is tested on.
    jsonl_corpus(small, rows(30), rows(5, 1000))
    for name, content in (("more", rows(30, 980)), ("more_test", rows(3, 5000))):
        (small.parent / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    other = "{name: chained_sums, operations: [1, 3], train: 80, validation: 10, test: 12, seed: 1}"
    small.write_text(
        small.read_text().replace(
            other, "{name: jsonl, train: more.jsonl, test: more_test.jsonl, rationale: why, validation: 0.3}"
        )
    )
    text = refused(clpd("plan", small, "--corpus"))
    assert (
        "evaluation.benchmarks.sums: 5 of 5 test questions stand in corpus 'many', which models are trained on" in text
    )
    assert re.search(r"first '100\d\?' \(train and validation\)", text)
    assert "Take them out of one of the two corpora." in text


def test_a_schedule_with_an_empty_step_is_told_before_any_training(small: Path, clpd: Clpd) -> None:
    text = refused(clpd("plan", small, "--corpus", "--set", "student.training.steps=100000"))
    assert "student.training: step 1 of 100000 would be empty" in text
    assert "Ask for fewer steps, more tokens_per_step or more epochs." in text


def test_a_teachers_own_schedule_is_checked_before_any_training(small: Path, clpd: Clpd) -> None:
    text = refused(clpd("plan", small, "--corpus", "--set", "models.large.training.steps=100000"))
    assert "model large: step 1 of 100000 would be empty" in text


def test_more_stages_than_the_data_has_buckets_for_is_told_before_any_training(small: Path, clpd: Clpd) -> None:
    text = refused(clpd("plan", small, "--corpus", "--set", "curriculum.stages=61"))
    assert "curriculum.stages: bucket" in text
    assert "of 61 holds no example (60 examples in all)" in text
    assert "Use fewer stages or more examples." in text


def test_a_difficulty_that_orders_nothing_is_told_with_its_arm_before_any_training(small: Path, clpd: Clpd) -> None:
    of_one_length = "corpora.sums.source.operations=[2, 2]"
    sets = ["--set", of_one_length, "--set", "curriculum.difficulty=cot_steps:equations"]
    text = refused(clpd("plan", small, "--corpus", *sets))
    assert "curriculum.difficulty: the difficulty has 1 value (2) over 60 training examples" in text
    assert "(arm 'data_ordering', difficulty cot_steps:equations)" in text


@pytest.mark.parametrize("name", ["clpd/7", "clp/0"])
def test_retrying_a_cell_that_is_not_there_names_those_that_are(small: Path, clpd: Clpd, name: str) -> None:
    text = refused(clpd("retry", small, name))
    assert "there is no such cell" in text
    assert "Did you mean 'clpd/" in text


def test_showing_from_an_empty_store_says_so(clpd: Clpd, store: Path) -> None:
    assert f"Nothing has been planned or run with the store {store} yet." in refused(clpd("show", "clpd/0"))


def test_a_report_of_nothing_says_what_to_run(small: Path, clpd: Clpd, tmp_path: Path) -> None:
    text = refused(clpd("report", small, "--out", tmp_path / "out"))
    assert f"nothing has been evaluated yet. Run it first: clpd run {small}." in text
    assert not (tmp_path / "out").exists()
