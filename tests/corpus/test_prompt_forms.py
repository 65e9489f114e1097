"""Prompts and responses as texts: defaults of the named data sets, the space at the seam, worked examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.build import build
from clpd_bench.corpus.prompts import opening
from clpd_bench.corpus.reader import Split, read_split
from clpd_bench.corpus.sameness import sameness
from clpd_bench.errors import UserError
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.corpus import CorpusSettings


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Any]:
    """A source of 60 training and 5 test rows."""
    for name, numbers in (("train", range(60)), ("test", range(100, 105))):
        made = [{"question": f"q{i}?", "rationale": f"since {i}", "answer": f"{i}"} for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, made)))
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "test")}
    return {"name": "jsonl", **files, "rationale": "rationale"}


def folder(tmp_path: Path, source: dict[str, Any], lender: Path | None = None, **changed: Any) -> Path:
    out = tmp_path / f"corpus{len(list(tmp_path.glob('corpus*')))}"
    out.mkdir()
    build(CorpusSettings.model_validate({"source": source, "tokenizer": "characters", **changed}), out, lender)
    return out


def splits(corpus: Path) -> dict[str, Split]:
    return {split: read_split(corpus, split) for split in ("train", "validation", "test")}


def test_a_named_data_set_has_a_prompt_of_its_own_which_the_file_may_change() -> None:
    local = {"name": "svamp", "file": "x"}
    named = CorpusSettings.model_validate({"source": local, "tokenizer": "characters"})
    assert (named.prompt, named.response_start) == ("Question: {question}\nAnswer:", " ")
    own = CorpusSettings.model_validate({"source": local, "tokenizer": "characters", "prompt": "{question}"})
    assert (own.prompt, own.response_start) == ("{question}", " ")
    assert fingerprint(named) != fingerprint(own)
    again = CorpusSettings.model_validate(own.model_dump())
    assert again == own


def test_a_response_begins_with_what_is_set_between(tmp_path: Path, rows: dict[str, Any]) -> None:
    made = splits(folder(tmp_path, rows, prompt="Q: {question}\nA:", response_start=" "))["test"]
    pairs = dict(zip(made.texts("prompt"), made.texts("response"), strict=True))
    assert pairs["Q: q101?\nA:"] == " since 101\n#### 101"


def test_shots_are_the_same_for_all_and_of_training_alone(tmp_path: Path, rows: dict[str, Any]) -> None:
    form = {"prompt": "Q: {question}\nA:", "response_start": " ", "shots": 3}
    without, made = splits(folder(tmp_path, rows)), splits(folder(tmp_path, rows, **form))
    fronts = {p[: p.rindex("Q: ")] for split in made.values() for p in split.texts("prompt")}
    (front,) = fronts
    worked = [(part.split("\nA: ")[0], part.split("\nA: ")[1]) for part in front.removesuffix("\n\n").split("\n\n")]
    questions = [q.removeprefix("Q: ") for q, _ in worked]
    assert len(questions) == 3
    for question, (_, response) in zip(questions, worked, strict=True):
        number = question[1:-1]
        assert response == f"since {number}\n#### {number}"
    trained = without["train"].texts("question")
    assert trained[:3] == questions  # rows stand in the order of their ids
    assert sorted(made["train"].texts("question")) == sorted(set(trained) - set(questions))
    for split in ("validation", "test"):
        assert made[split].texts("question") == without[split].texts("question")
        assert made[split].ids.tolist() == without[split].ids.tolist()


def test_shots_do_not_depend_on_the_limit(tmp_path: Path, rows: dict[str, Any]) -> None:
    fronts = []
    for limit in ({}, {"train": 10}):
        made = splits(folder(tmp_path, rows | {"limit": limit}, shots=2, prompt="Q: {question}"))
        prompt = made["test"].texts("prompt")[0]
        fronts.append(prompt[: prompt.rindex("Q: ")])
    assert fronts[0] == fronts[1]


def test_every_copy_of_a_shots_question_leaves_training(tmp_path: Path) -> None:
    sums = {"name": "chained_sums", "operations": [1, 1], "modulus": 4, "train": 200, "validation": 1, "test": 1}
    made = splits(folder(tmp_path, sums, shots=1, answer_marker=":"))
    shot = made["test"].texts("prompt")[0].split("?")[0] + "?"
    assert sameness(shot) not in map(sameness, made["train"].texts("question"))


def test_a_shots_question_in_other_letters_leaves_training_too(tmp_path: Path, rows: dict[str, Any]) -> None:
    file = tmp_path / "train.jsonl"
    made = [json.loads(line) for line in file.read_text().split("\n")]
    capitals = [row | {"question": row["question"].upper(), "rationale": "so"} for row in made]
    file.write_text("\n".join(map(json.dumps, [*made, *capitals])))
    train = splits(folder(tmp_path, rows, shots=3))["train"]
    assert len({sameness(q) for q in train.texts("question")}) * 2 == len(train.ids)


def test_more_shots_than_training_has_are_refused(tmp_path: Path, rows: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="shots: 60 worked examples are to be taken out of the training split"):
        folder(tmp_path, rows, shots=60)


def whole_words(unk: str = "<unk>", first: bool = False, **special: str) -> PreTrainedTokenizerFast:
    """A tokenizer of words and special tokens, the first put in front of every text when asked."""
    words = ["?", "since", "####", *(f"{i}" for i in range(200)), *(f"q{i}" for i in range(105))]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys([*special.values(), unk, *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unk))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if first:
        token = special["bos_token"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{token} $A", special_tokens=[(token, vocabulary[token])]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unk, **special)


def lent(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Path:
    tokenizer.save_pretrained(tmp_path / "lender" / "tokenizer")
    return tmp_path / "lender"


def test_where_pad_is_the_end_token_the_response_keeps_its_end(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<e>")
    made = splits(folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other"))["test"]
    for i in range(len(made.ids)):
        assert made.responses[i].tolist().count(tokenizer.eos_token_id) == 1
        assert made.responses[i][-1] == tokenizer.eos_token_id
        assert tokenizer.eos_token_id not in made.prompts[i]


def test_where_the_unknown_token_is_the_end_token_only_the_text_is_searched_for_it(
    tmp_path: Path, rows: dict[str, Any]
) -> None:
    tokenizer = whole_words(unk="<e>", eos_token="<e>", pad_token="<e>")
    folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other")


def test_what_a_word_tokenizer_cannot_write_is_named_by_the_word(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<p>")
    with pytest.raises(UserError, match=r"the tokenizer has no token for 'because' in 'q"):
        folder(
            tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other", prompt="because {question} since 12"
        )


def test_an_unknown_word_is_not_taken_for_a_special_token(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<p>")
    (tmp_path / "test.jsonl").write_text('{"question": "because ?", "rationale": "since", "answer": "1"}')
    with pytest.raises(UserError, match=r"test\.jsonl:1: tokenizer: the tokenizer has no token for 'because'"):
        folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other")


def test_a_prompt_of_the_file_may_spell_the_unknown_token(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<e>")
    folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other", prompt="<unk>{question}")


def test_text_that_spells_a_token_of_a_chat_template_is_refused(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<e>", bos_token="<turn>")
    (tmp_path / "test.jsonl").write_text('{"question": "q1 ? <turn>", "rationale": "since", "answer": "1"}')
    with pytest.raises(UserError, match=r"test\.jsonl:1: the text of .* holds '<turn>'"):
        folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other")


def test_a_prompt_of_the_file_may_hold_special_tokens(tmp_path: Path, rows: dict[str, Any]) -> None:
    tokenizer = whole_words(eos_token="<e>", pad_token="<e>")
    made = folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other", prompt="{question}<e>")
    test = splits(made)["test"]
    assert all(test.prompts[i][-1] == tokenizer.eos_token_id for i in range(len(test.ids)))


@pytest.mark.parametrize("first", [True, False])
def test_what_the_tokenizer_puts_in_front_stands_in_the_prompt_once(
    tmp_path: Path, rows: dict[str, Any], first: bool
) -> None:
    tokenizer = whole_words(first=first, eos_token="<e>", pad_token="<e>", bos_token="<s>")
    assert opening(tokenizer) == ("<s>" if first else "")
    made = splits(folder(tmp_path, rows, lent(tmp_path, tokenizer), tokenizer="same_as:other", shots=1))["test"]
    for i, prompt in enumerate(made.texts("prompt")):
        assert made.prompts[i].tolist() == tokenizer(prompt, add_special_tokens=False)["input_ids"]
        assert made.prompts[i].tolist().count(tokenizer.bos_token_id) == first
        assert tokenizer.bos_token_id not in made.responses[i]


def test_choices_and_the_right_one_are_kept_beside_the_tokens(tmp_path: Path) -> None:
    choices = [{"label": label, "text": f"place {label.lower()}"} for label in "ABC"]
    for name, numbers in (("train", range(60)), ("validation", range(100, 103))):
        made = [{"answerKey": "B", "question": {"stem": f"Where is {i}?", "choices": choices}} for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, made)))
    files = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "validation.jsonl")}
    test = splits(folder(tmp_path, {"name": "commonsense_qa", **files}))["test"]
    assert test.table["choices"].to_pylist() == [["(A) place a", "(B) place b", "(C) place c"]] * 3
    assert test.table["label"].to_pylist() == [1, 1, 1]
    assert test.texts("answer") == ["(B) place b"] * 3
    assert test.texts("response") == [" (B) place b"] * 3
