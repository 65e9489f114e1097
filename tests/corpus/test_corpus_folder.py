"""What a corpus job leaves: rows in the order of ids, tokens that say what the text says, a tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clpd_bench.corpus.build import build
from clpd_bench.corpus.chained_sums import generate
from clpd_bench.corpus.reader import read_split, read_summary
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.sources import ChainedSums

SUMS = {"name": "chained_sums", "operations": [1, 3], "train": 30, "validation": 6, "test": 8}


def corpus(**changed: Any) -> CorpusSettings:
    return CorpusSettings.model_validate({"source": SUMS, "tokenizer": "characters", "answer_marker": ":", **changed})


def folder(tmp_path: Path, settings: CorpusSettings, name: str = "corpus", tokenizer: Path | None = None) -> Path:
    out = tmp_path / name
    out.mkdir()
    build(settings, out, tokenizer)
    return out


def load(out: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(out / "tokenizer"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("made"), corpus(prompt="Q {question} A "))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_tokens_decode_to_prompt_and_response_with_the_end_behind(made: Path, split: str) -> None:
    data, tokenizer = read_split(made, split), load(made)
    for i, (prompt, response) in enumerate(zip(data.texts("prompt"), data.texts("response"), strict=True)):
        assert tokenizer.decode(data.prompts[i]) == prompt
        assert tokenizer.decode(data.responses[i]) == f"{response}<end>"
        assert (data.responses[i] == tokenizer.eos_token_id).sum() == 1
        assert tokenizer.pad_token_id not in [*data.prompts[i], *data.responses[i]]


def test_prompt_and_response_are_made_of_question_rationale_marker_and_answer(made: Path) -> None:
    data = read_split(made, "train")
    source = ChainedSums.model_validate(SUMS)
    wanted = sorted((f"Q {e.question} A ", f"{e.rationale}:{e.answer}") for e in generate(source)["train"])
    assert sorted(zip(data.texts("prompt"), data.texts("response"), strict=True)) == wanted


def test_rows_stand_in_the_order_of_their_distinct_ids(made: Path) -> None:
    for split in ("train", "validation", "test"):
        ids = read_split(made, split).ids.tolist()
        assert ids == sorted(set(ids))


def test_numbers_count_what_they_are_named_for(made: Path) -> None:
    data = read_split(made, "train")
    rationales = [response.split(":")[0] for response in data.texts("response")]
    assert data.numbers("rationale_tokens").tolist() == [len(r) for r in rationales]
    assert data.numbers("column.operations").tolist() == [len(r.split(";")) for r in rationales]
    lengths = [len(p) + len(r) + 1 for p, r in zip(data.texts("prompt"), data.texts("response"), strict=True)]
    assert data.tokens.tolist() == lengths  # one token a character, and the end


def test_summary_is_of_what_the_folder_holds(made: Path) -> None:
    summary = read_summary(made)
    assert summary["vocabulary_size"] == len(load(made))
    for split, counted in summary["splits"].items():
        data = read_split(made, split)
        assert counted["examples"] == len(data.ids)
        assert counted["prompt_tokens"] == data.prompts.lengths.sum()
        assert counted["response_tokens"] == data.responses.lengths.sum()
        assert counted["longest_response"] == data.responses.lengths.max()


def test_same_as_gives_the_identical_vocabulary_whatever_the_texts(tmp_path: Path, made: Path) -> None:
    borrowed = corpus(source=SUMS | {"modulus": 9, "seed": 4}, tokenizer="same_as:sums")
    other = folder(tmp_path, borrowed, tokenizer=made)
    assert load(other).get_vocab() == load(made).get_vocab()


def test_all_chained_sums_share_one_character_vocabulary(tmp_path: Path, made: Path) -> None:
    other = folder(tmp_path, corpus(source=SUMS | {"modulus": 3, "train": 1}, prompt="Q {question} A "))
    assert load(other).get_vocab() == load(made).get_vocab()


def test_a_corpus_is_built_the_same_twice(tmp_path: Path, made: Path) -> None:
    again = folder(tmp_path, corpus(prompt="Q {question} A "))
    for split in ("train", "validation", "test"):
        one, other = read_split(made, split), read_split(again, split)
        assert one.table.equals(other.table)


def test_an_example_over_the_limit_is_refused_and_never_cut(tmp_path: Path, made: Path) -> None:
    longest = max(int(read_split(made, split).tokens.max()) for split in ("train", "validation", "test"))
    folder(tmp_path, corpus(prompt="Q {question} A ", max_tokens=longest), "enough")
    with pytest.raises(
        UserError, match=rf"has {longest} tokens, and the limit is {longest - 1} .*examples are never cut"
    ):
        folder(tmp_path, corpus(prompt="Q {question} A ", max_tokens=longest - 1), "too few")


def jsonl(tmp_path: Path, question: str) -> CorpusSettings:
    rows = [{"question": f"q{i}", "rationale": "r", "answer": "a"} for i in range(30)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": question, "rationale": "r", "answer": "a"}))
    source = {
        "name": "jsonl",
        "train": tmp_path / "train.jsonl",
        "test": tmp_path / "test.jsonl",
        "rationale": "rationale",
    }
    return corpus(source=source, tokenizer={"name": "bpe", "vocabulary_size": 280})


@pytest.mark.parametrize("token", ["<end>", "<pad>"])
def test_text_that_spells_a_token_of_the_tokenizers_own_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(UserError, match=rf"test\.jsonl:1: the text of .* holds '{token}'"):
        folder(tmp_path, jsonl(tmp_path, f"what is {token} for?"))


def test_a_long_row_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    settings = jsonl(tmp_path, "long " * 30).model_copy(update={"max_tokens": 20})
    with pytest.raises(
        UserError, match=r"test\.jsonl:1: max_tokens: a test example has \d+ tokens, and the limit is 20"
    ):
        folder(tmp_path, settings)


def test_an_unknown_column_is_told_with_those_that_are_there(made: Path) -> None:
    with pytest.raises(UserError, match=r"Did you mean 'column\.operations'\?"):
        read_split(made, "train").numbers("column.operation")


def test_ragged_rows_are_the_lists_they_were_made_of(made: Path) -> None:
    data = read_split(made, "train")
    lists = data.table["prompt_ids"].to_pylist()
    assert len(data.prompts) == len(lists)
    assert all(np.array_equal(data.prompts[i], row) for i, row in enumerate(lists))


def test_text_that_a_borrowed_tokenizer_cannot_write_is_refused(tmp_path: Path) -> None:
    lender, borrower = tmp_path / "lender", tmp_path / "borrower"
    for folder in (lender, borrower):
        folder.mkdir()
    rows = [{"question": f"{i} apples?", "answer": str(i)} for i in range(40)]
    for name, some in (("train", rows[:30]), ("test", rows[30:])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, some)))
    source = {"name": "jsonl", "train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    build(CorpusSettings.model_validate({"source": source, "tokenizer": "characters"}), lender, None)
    sums = {"name": "chained_sums", "train": 4, "validation": 2, "test": 2}
    settings = CorpusSettings.model_validate({"source": sums, "tokenizer": "same_as:other"})
    with pytest.raises(UserError, match=r"has no token for .*'='"):
        build(settings, borrower, lender)


def test_a_damaged_split_is_told_with_its_file_and_the_remedy(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 half")
    with pytest.raises(UserError, match="is damaged") as error:
        read_split(tmp_path, "train")
    assert str(tmp_path / "train.parquet") in str(error.value)
    assert "clpd store verify" in str(error.value)
