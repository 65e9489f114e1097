"""GSM8K itself, where CLPD_DATA says where it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from clpd_bench.corpus.build import build
from clpd_bench.corpus.reader import read_split
from clpd_bench.corpus.sameness import sameness
from clpd_bench.grid.load import load_ablation

DATA = os.environ.get("CLPD_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="CLPD_DATA is not set; export it to run on the real GSM8K")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(__file__).parents[2] / "ablations" / "gsm8k_tiny.yaml"
    out = tmp_path_factory.mktemp("gsm8k")
    build(load_ablation(file).corpora["gsm8k"], out, None)
    return out


def test_response_is_the_published_solution_to_the_letter(folder: Path) -> None:
    lines = (Path(str(DATA)) / "gsm8k" / "train.jsonl").read_text().splitlines()
    published = {sameness(row["question"]): row["answer"] for row in map(json.loads, lines)}
    split = read_split(folder, "train")
    assert len(split.ids) == 1500
    for question, response in zip(split.texts("question"), split.texts("response"), strict=True):
        assert response == published[sameness(question)].replace("\n\n#### ", "\n#### ").strip()


def test_tokens_decode_to_the_text_that_they_came_from(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    split = read_split(folder, "test")
    for i, (prompt, response) in enumerate(zip(split.texts("prompt"), split.texts("response"), strict=True)):
        assert tokenizer.decode(split.prompts[i]) == prompt
        assert tokenizer.decode(split.responses[i]) == response + tokenizer.eos_token
