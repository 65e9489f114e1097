"""Tiny models with random weights in the forms that pretrained ones come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *ALPHABET, "ab"]
"""Byte-level, so that any text can be written; like SmolLM2's, it has no token to pad with."""
END = 2


def tokenizer(tokens: list[str] = TOKENS, **special: str) -> PreTrainedTokenizerFast:
    inner = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[("a", "b")]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=inner, **{"eos_token": TOKENS[END], **special})


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen3": {"head_dim": 8},
    "gemma3_text": {
        "head_dim": 8,
        "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    },
    "gpt2": {"n_embd": 16, "n_layer": 4, "n_head": 2, "n_positions": 64},
}


def model(kind: str = "llama", vocabulary: int = len(TOKENS), seed: int = 0, **settings: Any) -> PreTrainedModel:
    """Four layers of width 16, weights large enough that each layer matters."""
    common = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "initializer_range": 0.25,
    }
    if kind == "gpt2":
        common = {"initializer_range": 0.25}
    tokens = {"eos_token_id": END, "bos_token_id": 1, "pad_token_id": None}
    config = AutoConfig.for_model(
        kind, vocab_size=vocabulary, **{**common, **tokens, **CONFIGURATIONS[kind], **settings}
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config).eval()


def saved(folder: Path, kind: str = "llama", dtype: torch.dtype = torch.float32, **settings: Any) -> PreTrainedModel:
    """A folder as `save_pretrained` leaves it; returns the model in it."""
    made = model(kind, **settings).to(dtype)
    made.save_pretrained(str(folder))
    tokenizer().save_pretrained(str(folder))
    return made


def write_gguf(file: Path, seed: int = 0) -> None:
    """A Llama as GGUF, float32, with its tokenizer; the same weights for the same seed."""
    rng = np.random.default_rng(seed)
    width, inner, layers, heads, vocabulary = 32, 64, 4, 2, len(TOKENS)
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_block_count(layers)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3, *[1] * (len(ALPHABET) + 1)])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(0)

    def tensor(name: str, *shape: int) -> None:
        values = np.ones(shape) if len(shape) == 1 else rng.normal(0, 0.2, shape)
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))

    tensor("token_embd", vocabulary, width)
    tensor("output_norm", width)
    tensor("output", vocabulary, width)
    for i in range(layers):
        for name in ("attn_norm", "ffn_norm"):
            tensor(f"blk.{i}.{name}", width)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensor(f"blk.{i}.{name}", width, width)
        tensor(f"blk.{i}.ffn_gate", inner, width)
        tensor(f"blk.{i}.ffn_up", inner, width)
        tensor(f"blk.{i}.ffn_down", width, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


IDS_OF_TEXT = torch.tensor([[5, 9, 30, 7, 44, 20, 8]])
