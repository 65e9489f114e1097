"""Pretrained weights brought in: what comes out computes what went in, and nothing is executed or guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained_like import END, TOKENS, saved, tokenizer, write_gguf
from test_training_jobs import SHUFFLED, do
from transformers import AutoModelForCausalLM, AutoTokenizer

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.models import load_model
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import CorpusSpec, ModelSpec

IDS = torch.tensor([[5, 9, 3, 7, 2, 20], [6, 6, 6, 8, 12, 3]])


def local(folder: Path, **settings: Any) -> Local:
    return Local(name="local", folder=folder, **settings)


def bring_in(source: Local | Gguf | Hub, out: Path) -> Path:
    do("model", ModelSpec(start=start_of(source), seed=0), {}, out)
    return out


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3_text", "gpt2"])
def test_a_folder_brought_in_computes_the_same(kind: str, tmp_path: Path) -> None:
    expected = saved(tmp_path / "theirs", kind)(input_ids=IDS).logits
    out = bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    assert torch.equal(load_model(out).eval()(input_ids=IDS).logits, expected)
    assert AutoTokenizer.from_pretrained(str(out)).get_vocab() == tokenizer().get_vocab()


def test_a_gguf_brought_in_computes_what_transformers_does_and_can_be_saved(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    theirs = AutoModelForCausalLM.from_pretrained(str(tmp_path), gguf_file="tiny.gguf", dtype=torch.float32)
    with pytest.raises((ValueError, TypeError)):
        theirs.save_pretrained(str(tmp_path / "as it comes"))
    out = bring_in(Gguf(name="gguf", file=tmp_path / "tiny.gguf"), tmp_path / "out")
    mine = load_model(out).eval()
    with torch.no_grad():
        assert torch.equal(mine(input_ids=IDS).logits, theirs.eval()(input_ids=IDS).logits)
    assert "quantization_config" not in json.loads((out / "config.json").read_text())
    loaded = AutoTokenizer.from_pretrained(str(out))
    assert loaded("ab 1").input_ids == [TOKENS.index(c) for c in ("ab", "Ġ", "1")]
    assert loaded.pad_token_id == loaded.eos_token_id == END


def test_parts_are_the_file_and_have_its_key(tmp_path: Path) -> None:
    write_gguf(tmp_path / "whole.gguf")
    data = (tmp_path / "whole.gguf").read_bytes()
    parts = []
    for i, (a, b) in enumerate([(0, 1000), (1000, 30000), (30000, len(data))]):
        parts.append(tmp_path / f"p{i}")
        parts[-1].write_bytes(data[a:b])
    whole = Gguf(name="gguf", file=tmp_path / "whole.gguf")
    assert start_of(Gguf(name="gguf", parts=tuple(parts))).sha256 == start_of(whole).sha256
    a = bring_in(whole, tmp_path / "a")
    b = bring_in(Gguf(name="gguf", parts=tuple(parts)), tmp_path / "b")
    assert (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()
    assert sorted(f.name for f in a.iterdir()) == sorted(f.name for f in b.iterdir())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_are_kept_in_the_dtype_that_is_asked_for(dtype: str, tmp_path: Path) -> None:
    theirs = saved(tmp_path / "theirs", dtype=torch.bfloat16)
    mine = load_model(bring_in(local(tmp_path / "theirs", dtype=dtype), tmp_path / "out"), "auto")
    assert mine.dtype == getattr(torch, dtype)
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b.to(a.dtype))


def test_attention_is_kept_with_the_model_through_saving(tmp_path: Path) -> None:
    saved(tmp_path / "theirs")
    out = bring_in(local(tmp_path / "theirs", attention="eager"), tmp_path / "out")
    again = load_model(out)
    assert again.config._attn_implementation == "eager"
    plain = load_model(bring_in(local(tmp_path / "theirs"), tmp_path / "plain"))
    assert plain.config._attn_implementation == "sdpa"


def test_pickled_weights_are_read_only_where_the_file_says_so(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "theirs")
    (tmp_path / "theirs" / "model.safetensors").unlink()
    torch.save(theirs.state_dict(), tmp_path / "theirs" / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pickled weights alone.*pickle: true"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    out = bring_in(local(tmp_path / "theirs", pickle=True), tmp_path / "allowed")
    assert (out / "model.safetensors").exists()
    assert torch.equal(load_model(out).eval()(input_ids=IDS).logits, theirs(input_ids=IDS).logits)


CODE = """
from transformers import LlamaConfig, LlamaForCausalLM

class MineConfig(LlamaConfig):
    model_type = "mine"

class Mine(LlamaForCausalLM):
    config_class = MineConfig
"""


def test_code_of_the_model_runs_only_where_the_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    theirs = saved(tmp_path / "theirs")
    config = json.loads((tmp_path / "theirs" / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "architectures": ["Mine"],
        "auto_map": {"AutoConfig": "code.MineConfig", "AutoModelForCausalLM": "code.Mine"},
    }
    (tmp_path / "theirs" / "config.json").write_text(json.dumps(config))
    (tmp_path / "theirs" / "code.py").write_text(CODE)
    with pytest.raises(UserError, match=r"code that comes with it.*trust_remote_code: true"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    out = bring_in(local(tmp_path / "theirs", trust_remote_code=True), tmp_path / "allowed")
    mine = load_model(out).eval()
    assert type(mine).__name__ == "Mine"
    assert torch.equal(mine(input_ids=IDS).logits, theirs(input_ids=IDS).logits)


def test_a_model_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    saved(tmp_path / "theirs")
    file = tmp_path / "theirs" / "model.safetensors"
    weights = load_file(file)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 1 of the weights.*model\.layers\.1\.mlp\.up_proj\.weight"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")


def test_a_head_may_have_padded_rows_and_not_too_few(tmp_path: Path) -> None:
    saved(tmp_path / "padded", vocabulary=len(TOKENS) + 5)
    bring_in(local(tmp_path / "padded"), tmp_path / "out")
    saved(tmp_path / "short", vocabulary=len(TOKENS) - 1)
    with pytest.raises(UserError, match=f"logits for {len(TOKENS) - 1} tokens.*up to {len(TOKENS) - 1}"):
        bring_in(local(tmp_path / "short"), tmp_path / "out2")


def test_a_special_token_without_a_row_is_left_out_of_the_tokenizer(tmp_path: Path) -> None:
    """As Gemma 3's text models have one, for images; it must not come back when the tokenizer is loaded."""
    saved(tmp_path / "theirs")
    theirs = tokenizer()
    theirs.add_tokens(["<image>"], special_tokens=True)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    file = tmp_path / "theirs" / "tokenizer_config.json"
    written = json.loads(file.read_text()) | {"extra_special_tokens": {"image_token": "<image>"}}
    file.write_text(json.dumps(written))
    assert AutoTokenizer.from_pretrained(str(tmp_path / "theirs")).get_vocab()["<image>"] == len(TOKENS)
    out = bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    assert AutoTokenizer.from_pretrained(str(out)).get_vocab() == tokenizer().get_vocab()


def test_an_ordinary_token_without_a_row_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "theirs")
    theirs = tokenizer()
    theirs.add_tokens(["ordinary"])
    theirs.save_pretrained(str(tmp_path / "theirs"))
    with pytest.raises(UserError, match=f"up to {len(TOKENS)}"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")


def test_files_that_changed_since_planning_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "theirs")
    start = start_of(local(tmp_path / "theirs"))
    saved(tmp_path / "theirs", seed=1)
    with pytest.raises(UserError, match="changed since it was planned"):
        do("model", ModelSpec(start=start, seed=0), {}, tmp_path / "out")


def test_the_end_token_inside_a_prompt_gets_its_gradient_where_it_also_pads(tmp_path: Path) -> None:
    saved(tmp_path / "theirs", pad_token_id=END, tie_word_embeddings=False)
    mine = load_model(bring_in(local(tmp_path / "theirs"), tmp_path / "out"))
    mine(input_ids=torch.tensor([[5, END, 9, 4]])).logits[0, 2:].logsumexp(-1).sum().backward()
    assert float(mine.get_input_embeddings().weight.grad[END].abs().max()) > 0


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path]:
    """(corpus, model trained on it from a pretrained start that pads with its end token)."""
    saved(tmp_path / "theirs")
    source = local(tmp_path / "theirs")
    settings = {
        "source": {"name": "chained_sums", "operations": [1, 2], "train": 24, "validation": 6, "test": 6},
        "tokenizer": {"name": "of", "model": ""},
        "answer_marker": ":",
        "max_tokens": 40,
    }
    spec = CorpusSpec(corpus=settings, tokenizer_of=start_of(source, tokenizer_alone=True))  # type: ignore[arg-type]
    do("corpus", spec, {}, tmp_path / "corpus")
    begun = bring_in(source, tmp_path / "begun")
    spec = ModelSpec(training=Training(steps=2, learning_rate=1e-3), supervision=SHUFFLED, seed=0)
    do("model", spec, {"corpus": tmp_path / "corpus", "initial": begun}, tmp_path / "trained")
    return tmp_path / "corpus", tmp_path / "trained"


def test_the_end_token_is_learnt_where_it_also_pads(trained: tuple[Path, Path]) -> None:
    corpus, folder = trained
    split = read_split(corpus, "train")
    assert {int(split.responses[i][-1]) for i in range(len(split.ids))} == {END}
    assert AutoTokenizer.from_pretrained(str(folder)).get_vocab() == tokenizer().get_vocab()
    record = json.loads((folder / "training.json").read_text())
    assert record["response_tokens"] == int(split.responses.lengths.sum()), "an end token is left out of the loss"


def test_a_longer_example_than_the_model_takes_is_refused(tmp_path: Path, trained: tuple[Path, Path]) -> None:
    saved(tmp_path / "short", max_position_embeddings=8)
    begun = bring_in(local(tmp_path / "short"), tmp_path / "begun short")
    spec = ModelSpec(training=Training(steps=2, learning_rate=1e-3), supervision=SHUFFLED, seed=0)
    with pytest.raises(UserError, match="takes 8 tokens at most"):
        do("model", spec, {"corpus": trained[0], "initial": begun}, tmp_path / "out")
