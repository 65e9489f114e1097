"""`clpd show --example`: texts as they are, and each token with what the loss does with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_templates import DEFAULT, chat_tokenizer

from clpd_bench.corpus.build import build
from clpd_bench.corpus.reader import read_split
from clpd_bench.launch.watch.show import first_example
from clpd_bench.settings.parts.corpus import CorpusSettings


def shown(tmp_path: Path, **changed: Any) -> tuple[list[str], Path]:
    for name, numbers in (("train", range(60)), ("test", range(100, 105))):
        rows = [{"question": f"\u7b54{i}? \U0001f347", "answer": f"{i}"} for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "test")}
    chat_tokenizer(DEFAULT).save_pretrained(tmp_path / "lender" / "tokenizer")
    out = tmp_path / "corpus"
    out.mkdir()
    settings = {"source": {"name": "jsonl", **files}, "tokenizer": "same_as:x", **changed}
    build(CorpusSettings.model_validate(settings), out, tmp_path / "lender")
    return first_example(out, "corpus x").split("\n"), out


def test_each_token_has_its_place_its_id_and_the_losss_mark(tmp_path: Path) -> None:
    lines, out = shown(tmp_path)
    split = read_split(out, "train")
    tokens = [line.split() for line in lines[lines.index("position      id  loss  token") + 1 :]]
    assert [int(t[0]) for t in tokens] == list(range(len(tokens)))
    assert [int(t[1]) for t in tokens] == [*split.prompts[0], *split.responses[0]]
    assert [t[2] for t in tokens] == ["."] * len(split.prompts[0]) + ["*"] * len(split.responses[0])
    assert tokens[-1][3] == "'<|im_end|>'"


def test_texts_stand_as_they_are_with_their_white_space(tmp_path: Path) -> None:
    lines, out = shown(tmp_path, prompt="Q: {question}\nA:", response_start=" ")
    split = read_split(out, "train")
    question, answer = split.texts("question")[0], split.texts("answer")[0]
    start = lines.index("prompt:")
    assert lines[start + 1 : start + 3] == [f"  |Q: {question}|", "  |A:|"]
    assert lines[lines.index("response, which the loss counts:") + 1] == f"  | {answer}|"
    assert "end token, which the loss counts too: '<|im_end|>'" in lines
    assert not any("system message" in line or "worked examples" in line for line in lines)


def test_parts_of_a_wide_character_are_shown_as_the_vocabulary_has_them(tmp_path: Path) -> None:
    lines, out = shown(tmp_path)
    tokenizer, prompt = chat_tokenizer(DEFAULT), read_split(out, "train").prompts[0]
    pieces = [line.split(maxsplit=3)[3] for line in lines[lines.index("position      id  loss  token") + 1 :]]
    assert "\ufffd" not in "".join(pieces)
    assert pieces[:3] == tokenizer.convert_ids_to_tokens(prompt[:3].tolist())  # the three bytes of the first character
    assert pieces[3].startswith("'")


def test_system_message_and_worked_examples_are_told(tmp_path: Path) -> None:
    lines, _ = shown(tmp_path, chat={"system": "default"}, shots=2)
    start = lines.index("system message:")
    assert lines[start + 1 : start + 4] == ["  |<|im_start|>system|", "  |You are a helper.<|im_end|>|", "  ||"]
    assert "worked examples in the prompt: 2" in lines
    assert sum(line.startswith("  |<|im_start|>user") for line in lines) == 3


@pytest.mark.parametrize("system", ["Be brief.", ""])
def test_a_system_message_of_the_files_own_is_told(tmp_path: Path, system: str) -> None:
    lines, _ = shown(tmp_path, chat={"system": system})
    assert lines[lines.index("system message:") + 2] == f"  |{system}<|im_end|>|"
