"""Causal language models of transformers: made from a configuration, loaded, saved, taken apart."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel, PreTrainedTokenizerFast, Qwen3Config

from clpd_bench.curriculum.streams import stream_seed
from clpd_bench.settings.model import Llama, Qwen3

CONFIGS = {"llama": LlamaConfig, "qwen3": Qwen3Config}


def new_model(architecture: Llama | Qwen3, tokenizer: PreTrainedTokenizerFast, seed: int) -> PreTrainedModel:
    """A model with fresh float32 weights, a function of the architecture, the vocabulary and the seed."""
    a = architecture
    config = CONFIGS[a.name](
        vocab_size=len(tokenizer),
        hidden_size=a.hidden_size,
        intermediate_size=a.intermediate_size or 4 * a.hidden_size,
        num_hidden_layers=a.num_hidden_layers,
        num_attention_heads=a.num_attention_heads,
        num_key_value_heads=a.num_attention_heads,
        head_dim=a.hidden_size // a.num_attention_heads,
        max_position_embeddings=a.max_position_embeddings,
        initializer_range=a.hidden_size**-0.5 if a.initializer_range == "inverse_sqrt" else a.initializer_range,
        tie_word_embeddings=a.tie_word_embeddings,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        dtype=torch.float32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(stream_seed(seed, "init"))
        return AutoModelForCausalLM.from_config(config)


def load_model(folder: Path, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A model from a folder on disk; never from a hub, never by pickle."""
    return AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True, use_safetensors=True)


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A plain folder, which `from_pretrained` and lm-eval's command line load."""
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def hidden_states(model: PreTrainedModel, input_ids: torch.Tensor) -> torch.Tensor:
    """Last hidden states [B, L, D] of right-padded rows.

    No mask is given: attention is causal, so what stands behind a row's end reaches nothing before it.
    """
    states: torch.Tensor = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    return states


def head_weight(model: PreTrainedModel) -> torch.Tensor:
    """The output projection [V, D].

    Raises:
        ValueError: the head has a bias, which projecting by hand would lose.
    """
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Linear) or head.bias is not None:
        raise ValueError(f"{type(model).__name__}'s output head is no plain matrix")
    return head.weight


def forward_flops(model: PreTrainedModel, tokens: int, response_tokens: int) -> int:
    """2 FLOPs a weight and token (Kaplan et al. 2020, 2001.08361, without attention's own), the
    embedding counted for none and the head for response tokens alone. Training costs 3 times that."""
    body: int = sum(p.numel() for name, p in model.named_parameters() if "embed" not in name and "lm_head" not in name)
    head: int = head_weight(model).numel()
    return 2 * (body * tokens + head * response_tokens)
