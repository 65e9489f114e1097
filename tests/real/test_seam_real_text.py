"""Prompts of the named data sets end, and their responses begin, where SmolLM2's tokenizer has its own border."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus.build import build
from clpd_bench.corpus.example import SPLITS
from clpd_bench.corpus.prompts import question_text, response_text
from clpd_bench.corpus.reader import read_split
from clpd_bench.corpus.sources import examples
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import CorpusSettings

DATA = os.environ.get("CLPD_DATA", "")
pytestmark = pytest.mark.skipif(not DATA, reason="wants CLPD_DATA")

SVAMP = {"name": "svamp", "file": f"{DATA}/svamp/test.json"}
IN_LINES = {"gsm8k": ("train", "test"), "commonsense_qa": ("train", "validation")}
LINES = 500
"""Of each file: all of them would be compared with each other first."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {"svamp": SVAMP}
    for name, files in IN_LINES.items():
        folder = tmp_path_factory.mktemp(name)
        made[name] = {"name": name}
        for part, file in zip(("train", "test"), files, strict=True):
            with Path(f"{DATA}/{name}/{file}.jsonl").open() as lines:
                (folder / f"{part}.jsonl").write_text("".join(itertools.islice(lines, LINES)))
            made[name][part] = str(folder / f"{part}.jsonl")
    return made


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> PreTrainedTokenizerFast:
    """The GGUF's, as test_smollm2.py has it."""
    return AutoTokenizer.from_pretrained(str(smollm2))


def seams(source: dict[str, Any], tokenizer: PreTrainedTokenizerFast, **changed: Any) -> tuple[int, int]:
    """(examples whose tokens apart are those together, examples)."""
    settings = CorpusSettings.model_validate({"source": source, "tokenizer": "characters", **changed})
    made = [e for split in SPLITS for e in examples(settings.source)[0][split]]
    texts = [(question_text(e, settings), response_text(e, settings)) for e in made]

    def ids(parts: list[str]) -> list[list[int]]:
        encoded: list[list[int]] = tokenizer(parts, add_special_tokens=False)["input_ids"]
        return encoded

    apart = zip(ids([p for p, _ in texts]), ids([r for _, r in texts]), strict=True)
    together = ids([p + r for p, r in texts])
    return sum(p + r == both for (p, r), both in zip(apart, together, strict=True)), len(made)


@pytest.mark.parametrize("name", ["svamp", *IN_LINES])
def test_tokens_of_prompt_and_response_apart_are_those_of_both_together(
    tokenizer: PreTrainedTokenizerFast, sources: dict[str, dict[str, Any]], name: str
) -> None:
    same, of = seams(sources[name], tokenizer)
    assert same == of >= 1000


def test_a_prompt_that_ends_in_a_space_makes_other_tokens(
    tokenizer: PreTrainedTokenizerFast, sources: dict[str, dict[str, Any]]
) -> None:
    same, of = seams(sources["gsm8k"], tokenizer, prompt="Question: {question}\nAnswer: ", response_start="")
    assert same < of / 2


def test_real_svamp_has_700_training_and_300_test_questions() -> None:
    settings = CorpusSettings.model_validate({"source": SVAMP, "tokenizer": "bpe"})
    splits = examples(settings.source)[0]
    assert len(splits["test"]) == 300
    assert len(splits["train"]) + len(splits["validation"]) == 700
    wrong = [e for split in SPLITS for e in splits[split] if eval(e.rationale.rpartition(" = ")[0]) != float(e.answer)]
    assert len(wrong) == 1  # published so: (4 - 2) + 3 = 1


def test_smollm2s_own_chat_template_gives_the_same_tokens(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, sources: dict[str, dict[str, Any]]
) -> None:
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    source = {**sources["gsm8k"], "limit": {"train": 50, "test": 100}}
    settings = {"source": source, "tokenizer": "same_as:x", "max_tokens": 2048}
    with pytest.raises(UserError, match="You are a helpful AI assistant named SmolLM, trained by Hugging Face"):
        build(CorpusSettings.model_validate({**settings, "chat": {}}), tmp_path, tmp_path)
    build(CorpusSettings.model_validate({**settings, "chat": {"system": "default"}}), tmp_path, tmp_path)
    split = read_split(tmp_path, "test")
    texts = zip(split.texts("question"), split.texts("response"), strict=True)
    for i, (question, response) in enumerate(texts):
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": response}]
        whole = tokenizer.apply_chat_template(turns, return_dict=False)
        ours = [*split.prompts[i].tolist(), *split.responses[i].tolist()]
        assert whole[: len(ours)] == ours
        assert tokenizer.decode(whole[len(ours) :]) == "\n"
        assert split.responses[i].tolist().count(tokenizer.eos_token_id) == 1  # which it is padded with, too
