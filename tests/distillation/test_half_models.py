"""Folders and files that hold less, more or other than the model that they are given for are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained_like import TOKENS, saved, tokenizer, write_gguf
from safetensors.torch import load_file, save_file
from test_pretrained_models import IDS, bring_in, local
from tokenizers import Regex, Tokenizer, pre_tokenizers

from clpd_bench.distillation.models import load_model
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.pretrained import Gguf

Weights = dict[str, torch.Tensor]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def rewritten(folder: Path, change: Callable[[Weights], Any], kind: str = "llama", **settings: Any) -> torch.Tensor:
    """A model's folder with other weights in its file; returns the logits of those that it had before."""
    logits = saved(folder, kind, **settings)(input_ids=IDS).logits
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return logits


def also(**more: torch.Tensor | float) -> Callable[[Weights], None]:
    """More weights; in their names, two underscores stand for a dot."""
    return lambda weights: weights.update({name.replace("__", "."): torch.as_tensor(one) for name, one in more.items()})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            also(model__layers__0__self_attn__q_proj__bias=torch.ones(16)),
            r"has 1 weights that LlamaForCausalLM has no place for.*: model\.layers\.0\.self_attn\.q_proj\.bias",
        ),
        (also(model__layers__4__mlp__up_proj__weight=torch.ones(32, 16)), r"model\.layers\.4\.mlp\.up_proj\.weight"),
        (also(model__layers__0__self_attn__q_proj__lora_A__weight=torch.ones(2, 16)), r"lora_A.*merge the adapter"),
        (also(v_head__summary__weight=torch.ones(1, 16)), r"v_head\.summary\.weight.*a head for rewards"),
        (
            also(model__layers__0__mlp__up_proj__weight=torch.ones(31, 16)),
            r"of other shapes than its config\.json says: model\.layers\.0\.mlp\.up_proj\.weight "
            r"\[31, 16\] instead of \[32, 16\]",
        ),
        (
            lambda weights: weights["model.layers.2.mlp.up_proj.weight"][3].fill_(float("nan")),
            r"no finite numbers once they are float32, the first of them in model\.layers\.2\.mlp\.up_proj\.weight",
        ),
    ],
    ids=["bias", "layer", "adapter", "head", "shape", "nan"],
)
def test_weights_that_are_not_the_models_are_named(change: Callable[[Weights], Any], says: str, tmp_path: Path) -> None:
    rewritten(tmp_path / "theirs", change)
    with pytest.raises(UserError, match=f"folder theirs .*{says}"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("gpt2", also(transformer__h__0__attn__masked_bias=-1e4, transformer__h__0__attn__bias=torch.ones(1, 1, 8, 8))),
        ("gpt2", also(transformer__h__0__attn__causal_mask=torch.ones(1, 1, 8, 8), decoder__version=torch.ones(1))),
        ("llama", also(mtp__layers__0__mlp__up_proj__weight=torch.ones(32, 16))),
        (
            "llama",
            also(
                model__layers__4__eh_proj__weight=torch.ones(16, 32),
                model__layers__4__mlp__up_proj__weight=torch.ones(32, 16),
            ),
        ),
    ],
    ids=["masks", "masks and versions of other classes", "mtp", "mtp as a layer"],
)
def test_what_is_no_weight_of_a_causal_model_may_lie_beside(
    kind: str, change: Callable[[Weights], Any], tmp_path: Path
) -> None:
    """Buffers of older versions, and parts that predict tokens further ahead."""
    expected = rewritten(tmp_path / "theirs", change, kind)
    out = bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    assert torch.equal(load_model(out).eval()(input_ids=IDS).logits, expected)


def test_weights_too_large_for_float16_are_named(tmp_path: Path) -> None:
    rewritten(tmp_path / "theirs", lambda weights: weights["model.norm.weight"].fill_(1e6))
    bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    with pytest.raises(UserError, match=r"no finite numbers once they are float16.*model\.norm\.weight.*another dtype"):
        bring_in(local(tmp_path / "theirs", dtype="float16"), tmp_path / "other")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def cut_in_its_header(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def pointed_at(file: Path) -> None:
    file.write_bytes(POINTER)


def index_of_nothing(file: Path) -> None:
    file.rename(file.with_name(f"{file.name}.index.json")).write_text("{}")


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("model.safetensors", cut, r"cut short or damaged: it has \d+ bytes, and \d+ by its header.*copy it again"),
        ("model.safetensors", longer, r"cut short or damaged: it has \d+ bytes, and \d+ by its header"),
        ("model.safetensors", cut_in_its_header, r"ends within its header, after 100 bytes"),
        ("model.safetensors", pointed_at, r"pointer of Git LFS.*git lfs pull"),
        ("tokenizer.json", pointed_at, r"pointer of Git LFS.*git lfs pull"),
        ("model.safetensors", Path.unlink, r"has no safetensors"),
        ("model.safetensors", index_of_nothing, r"does not say which file holds which weights"),
        ("config.json", Path.unlink, r"there is no config\.json in it"),
        ("adapter_config.json", Path.touch, r"folder theirs holds an adapter.*merge_and_unload\(\)"),
    ],
)
def test_a_folder_that_is_not_whole_is_told_while_planning(
    name: str, damage: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    saved(tmp_path / "theirs")
    start_of(local(tmp_path / "theirs"))
    damage(tmp_path / "theirs" / name)
    with pytest.raises(UserError, match=says):
        start_of(local(tmp_path / "theirs"))


def test_weights_that_are_not_read_need_not_be_whole(tmp_path: Path) -> None:
    """As of a clone whose other copy of the weights (Mistral's `consolidated.safetensors`) was not fetched."""
    saved(tmp_path / "theirs")
    pointed_at(tmp_path / "theirs" / "consolidated.safetensors")
    bring_in(local(tmp_path / "theirs"), tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "says"),
    [(POINTER, r"pointer of Git LFS"), (b"GGML" + bytes(40), r"begins with b'GGML', and every GGUF file with b'GGUF'")],
    ids=["pointer", "foreign"],
)
def test_a_gguf_that_is_none_is_told_while_planning(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(content)
    for tokenizer_alone in (False, True):
        with pytest.raises(UserError, match=says):
            start_of(Gguf(name="gguf", file=tmp_path / "tiny.gguf"), tokenizer_alone)


@pytest.mark.parametrize("kept", [300, -1000])
def test_a_gguf_that_is_cut_short_says_so(kept: int, tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "tiny.gguf").write_bytes((tmp_path / "tiny.gguf").read_bytes()[:kept])
    with pytest.raises(UserError, match=r"GGUF file tiny\.gguf cannot be loaded.*cut short or damaged"):
        bring_in(Gguf(name="gguf", file=tmp_path / "tiny.gguf"), tmp_path / "out")


@pytest.mark.parametrize("padding", [-1, len(TOKENS)])
def test_padding_with_a_row_that_is_not_there_is_named(padding: int, tmp_path: Path) -> None:
    saved(tmp_path / "theirs")
    file = tmp_path / "theirs" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pad_token_id": padding}))
    with pytest.raises(UserError, match=rf"pad_token_id is {padding} in the config\.json of folder theirs.*to null"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")


def test_a_padding_token_that_the_vocabulary_lacks_gives_way_to_the_end_token(tmp_path: Path) -> None:
    saved(tmp_path / "theirs")
    file = tmp_path / "theirs" / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pad_token": "[PAD]"}))
    out = bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    settings = json.loads((out / "generation_config.json").read_text())
    assert settings["pad_token_id"] == settings["eos_token_id"] == TOKENS.index("<|im_end|>")


def test_a_class_that_splits_otherwise_than_the_tokenizers_file_is_refused(tmp_path: Path) -> None:
    """As transformers 5 does, where a class puts its own splitting in the place of the file's (Granite's digits)."""
    saved(tmp_path / "theirs", "gpt2", vocabulary=len(TOKENS) + 1)
    inner = Tokenizer.from_str(tokenizer([*TOKENS, "12"]).backend_tokenizer.to_str())
    written = json.loads(inner.to_str())
    written["model"]["merges"].append(["1", "2"])
    inner = Tokenizer.from_str(json.dumps(written))
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\d"), "isolated"), inner.pre_tokenizer])
    inner.save(str(tmp_path / "theirs" / "tokenizer.json"))
    file = tmp_path / "theirs" / "tokenizer_config.json"
    settings = json.loads(file.read_text()) | {"tokenizer_class": "GPT2Tokenizer", "unk_token": "<|endoftext|>"}
    file.write_text(json.dumps(settings))
    with pytest.raises(UserError, match=r"GPT2Tokenizer, splits '12 \+ 345.*'12'.*and its tokenizer\.json into \['1'"):
        bring_in(local(tmp_path / "theirs"), tmp_path / "out")
    file.write_text(json.dumps(settings | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    bring_in(local(tmp_path / "theirs"), tmp_path / "out")
