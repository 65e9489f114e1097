"""Where parts of a source share a question, it is refused, or one part gives way and what it lost is written down."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from clpd_bench.corpus.build import build
from clpd_bench.corpus.reader import read_split, read_summary
from clpd_bench.corpus.shared_questions import Texts
from clpd_bench.corpus.sources import examples
from clpd_bench.corpus.splits import LEDGER
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.sources import Jsonl
from clpd_bench.settings.plugin import CorpusPlugin

DATA = os.environ.get("CLPD_DATA")
DUCKS = "Janet\u2019s ducks lay {} eggs per day and she eats three. How many are left?"


def letters(text: str) -> str:
    """A comparison of its own: letters and digits alone."""
    return re.sub(r"[\W_]+", "", text).lower()


def adapters(**changed: Any) -> dict[str, Any]:
    folder = Path(str(DATA)) / "llm_adapters"
    files = {"train": str(folder / "math_data.json"), "test": str(folder / "singleeq_test.json")}
    return {"name": "jsonl", **files, "question": "instruction", "answer": "answer", **changed}


@pytest.mark.skipif(not DATA, reason="CLPD_DATA names no folder with llm_adapters")
@pytest.mark.parametrize(("overlap", "part", "lost"), [("drop_train", "training", 506), ("drop_test", "test", 428)])
def test_what_singleeq_shares_with_its_training_data_is_left_out_of_one_and_counted(
    tmp_path: Path, overlap: str, part: str, lost: int
) -> None:
    settings = {"source": adapters(overlap=overlap), "tokenizer": "characters", "prompt": "{question}\nAnswer: "}
    build(CorpusSettings.model_validate(settings | {"max_tokens": 4096}), tmp_path, None)
    whole = {
        role: [letters(row["instruction"]) for row in json.loads(Path(adapters()[role]).read_text())]
        for role in ("train", "test")
    }
    mine, others = (whole["train"], whole["test"]) if part == "training" else (whole["test"], whole["train"])
    known = set(others)
    shared = [one for one in mine if one in known]
    assert len(shared) == lost
    told = read_summary(tmp_path)["overlap"]
    assert told["policy"] == overlap
    assert {name: (one["examples"], one["of"]) for name, one in told["dropped"].items()} == {part: (lost, len(mine))}
    ledger = [json.loads(line) for line in (tmp_path / LEDGER).read_text().splitlines()]
    assert sorted(letters(line["question"]) for line in ledger) == sorted(shared)
    kept = {split: set(map(letters, read_split(tmp_path, split).texts("question"))) for split in ("train", "test")}
    assert kept["train"].isdisjoint(kept["test"])
    assert len(read_split(tmp_path, "test").ids) == (508 if part == "training" else 508 - lost)


def source(folder: Path, train: list[str], test: list[str], **changed: Any) -> Jsonl:
    for name, questions in (("train", train), ("test", test)):
        lines = (json.dumps({"question": question, "answer": "13"}) + "\n" for question in questions)
        (folder / f"{name}.jsonl").write_text("".join(lines))
    files = {"train": folder / "train.jsonl", "test": folder / "test.jsonl"}
    return Jsonl.model_validate({"name": "jsonl", **files, "validation": 0.3, **changed})


@pytest.mark.parametrize(
    "written",
    [
        DUCKS.format(7).upper().replace("\u2019", "'"),
        f"\u200bPlease answer: {DUCKS.format(7)}",
        DUCKS.format(7).replace(" ", "\u00a0").replace("?", " ?").replace("s", "\u017f"),
    ],
    ids=["case and quotes", "prefix", "spaces and letters"],
)
def test_a_test_question_in_training_is_refused_however_it_is_written(tmp_path: Path, written: str) -> None:
    train = [DUCKS.format(i) for i in range(100, 130)]
    with pytest.raises(UserError, match=r"train\.jsonl:31: 1 of 31 questions of the training part stands in the test"):
        examples(source(tmp_path, [*train, written], [DUCKS.format(i) for i in range(5, 9)]))


def test_dropping_all_of_a_part_is_refused(tmp_path: Path) -> None:
    same = [DUCKS.format(i) for i in range(30)]
    with pytest.raises(UserError, match="overlap: drop_test leaves nothing of the test part: all of its 30 questions"):
        examples(source(tmp_path, same, same, overlap="drop_test"))


def test_nothing_shared_is_said_too(tmp_path: Path) -> None:
    made = source(tmp_path, [DUCKS.format(i) for i in range(30)], [DUCKS.format(77)] * 2, overlap="drop_train")
    _, ledger = examples(made)
    assert ledger
    assert ledger.summary() == {"policy": "drop_train", "dropped": {}}


def test_writings_of_one_question_stay_together_between_training_and_validation(tmp_path: Path) -> None:
    questions = [DUCKS.format(i) for i in range(100, 140)]
    again = [form.format(q) for q in questions[:20] for form in ("Question: {}", "{} Think first.")]
    splits, _ = examples(source(tmp_path, [*questions, *again], [DUCKS.format(7)]))
    assert sum(map(len, splits.values())) == 81
    assert len(splits["validation"]) >= 5
    held_out, learnt = (Texts([e.question for e in splits[split]]) for split in ("validation", "train"))
    assert held_out.found_in(learnt) == {}


@pytest.mark.parametrize(
    ("overlap", "left"),
    [
        ("drop_train", {"train": ["c"], "validation": ["b"], "test": ["a", "d"]}),
        ("drop_test", {"train": ["a", "b", "c"], "validation": ["d"], "test": ["e"]}),
    ],
)
def test_the_split_of_ones_own_that_is_nearer_to_training_or_to_the_test_gives_way(
    tmp_path: Path, overlap: str, left: dict[str, list[str]]
) -> None:
    rows = {"train": "abc", "validation": "bd", "test": "ad" if overlap == "drop_train" else "ade"}
    (tmp_path / "mine.py").write_text(
        "def rows():\n"
        "    make = lambda q: {'question': q, 'rationale': 'so', 'answer': q}\n"
        f"    return {{split: [make(q) for q in letters] for split, letters in {rows!r}.items()}}\n"
    )
    written = {"name": f"{tmp_path / 'mine.py'}:rows", "overlap": overlap}
    settings = CorpusSettings.model_validate({"source": written, "tokenizer": "characters"})
    assert isinstance(settings.source, CorpusPlugin)
    splits, _ = examples(settings.source)
    assert {split: [e.question for e in part] for split, part in splits.items()} == left
    with pytest.raises(UserError, match="1 of 3 questions of the train part stands in the validation part too"):
        examples(settings.source.model_copy(update={"overlap": "refuse"}))
