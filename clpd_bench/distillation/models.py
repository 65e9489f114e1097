"""Causal language models of transformers: made from a configuration, loaded, saved, taken apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LlamaConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.devices import own_random_numbers
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.model import Llama, Qwen3

CONFIGS = {"llama": LlamaConfig, "qwen3": Qwen3Config}


def new_model(architecture: Llama | Qwen3, tokenizer: PreTrainedTokenizerFast, streams: Streams) -> PreTrainedModel:
    """A model with fresh float32 weights, a function of the architecture, the vocabulary and the stream `init`."""
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
    with own_random_numbers(torch.device("cpu")):
        torch.manual_seed(streams.seed_of("init"))
        return AutoModelForCausalLM.from_config(config)


def load_model(folder: Path, dtype: torch.dtype | Literal["auto"] = torch.float32) -> PreTrainedModel:
    """A model from a folder that `save_model` left; never from a hub, never by pickle.

    Code in the folder is executed: it is there only where a file says `trust_remote_code` of what it came from.
    """
    model = AutoModelForCausalLM.from_pretrained(
        str(folder),
        dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=any(folder.glob("*.py")),
    )
    # Padding gets no gradient anyway; inside a text its token, often the end token, is one like others.
    model.get_input_embeddings().padding_idx = None
    return model


def greedy_settings(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """All that rules generation besides what it is called with: greedy, the tokenizer's end token ends a text.

    In the place of a model's own, of which any may move scores (`num_beams`, `suppress_tokens`, `max_new_tokens`).
    """
    return GenerationConfig(
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A plain folder that `from_pretrained` and lm-eval's command line load; generates as `greedy_settings` says."""
    model.generation_config = greedy_settings(tokenizer)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    attention = model.config._attn_implementation
    if model._supports_sdpa and attention not in (None, "sdpa"):  # another than what would be taken anyway
        written = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**written, "attn_implementation": attention}, indent=2))


def position_limit(model: PreTrainedModel) -> int | None:
    """The most tokens that a sequence may have; None where the configuration has no word on it."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return None if limit is None else int(limit)


def require_positions(model: PreTrainedModel, tokens: int, who: str) -> None:
    """Raises:
    UserError: the model does not take sequences of so many tokens.
    """
    limit = position_limit(model)
    if limit is not None and tokens > limit:
        raise UserError(
            f"{who} takes {limit} tokens at most, and the longest example has {tokens}",
            key="max_tokens",
            fix="Lower the corpus's max_tokens and take the longer examples out, or take a model that reads further",
        )


def hidden_states(model: PreTrainedModel, input_ids: torch.Tensor) -> torch.Tensor:
    """Last hidden states [B, L, D] of right-padded rows.

    No mask is given: attention is causal, so what stands behind a row's end reaches nothing before it.
    """
    states: torch.Tensor = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    return states


@torch.no_grad()
def draws_in_training(model: PreTrainedModel) -> bool:
    """Whether a forward pass in training mode takes from torch's generators: for dropout, whole layers left out, or
    noise in a router. Asks the generators, as no configuration has one name for all of these.

    Changes neither the model's mode nor the generators.
    """
    was_training = model.training
    with own_random_numbers(model.device):
        before = _states(model.device)
        model.train()
        model.get_decoder()(input_ids=torch.ones(1, 2, dtype=torch.long, device=model.device), use_cache=False)
        after = _states(model.device)
    model.train(was_training)
    return not all(map(torch.equal, before, after))


def _states(device: torch.device) -> list[torch.Tensor]:
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def length_boundaries(model: PreTrainedModel) -> tuple[int, ...]:
    """Lengths beyond which a LongRoPE model (Ding et al. 2024, 2402.13753) reads all rows of a batch with its long
    factors, ascending; of other models none.

    transformers goes by the longest row, its padding counted, so rows of both sides may not lie together. (`dynamic`
    changes beyond `max_position_embeddings` alone, where no row gets: `require_positions`.)
    """
    parameters = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    of_layers = [parameters] if "rope_type" in parameters else [p for p in parameters.values() if isinstance(p, dict)]
    found = {p["original_max_position_embeddings"] for p in of_layers if p.get("rope_type") == "longrope"}
    return tuple(sorted(int(length) for length in found))
