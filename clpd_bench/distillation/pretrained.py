"""Pretrained weights, loaded by transformers, checked to be whole, and kept as a plain folder like any model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedConfig, PreTrainedModel

from clpd_bench.distillation.devices import own_random_numbers
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import located, require_weights, unreadable
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local, Start

LISTED = 3
"""Names of weights that an error lists."""
BUFFERS = re.compile(
    r"(^|\.)(masked_bias|causal_mask|inv_freq|position_ids|cos_cached|sin_cached|(attn|attention)\.bias|decoder\.version)$"
)
"""What older versions of transformers saved beside the weights: each is worked out anew."""
AHEAD = re.compile(r"(^|\.)mtp")
"""Parts that predict further tokens (Qwen3-Next, MiMo), which no model here is loaded with."""
LAYER_AHEAD = re.compile(r"(.*\.layers\.\d+\.)eh_proj\.")
"""The same as layers behind the last one, as DeepSeek-V3 and GLM-4.5 have them: this projection marks such a layer."""


def require_loaded_whole(model: PreTrainedModel, loading: Mapping[str, Any], who: str) -> None:
    """
    Args:
        loading: transformers' loading info.
        who: what errors call the weights.

    Raises:
        UserError: weights are missing, of another shape, or left over.
    """
    kind = type(model).__name__
    if lacking := sorted(loading["missing_keys"]):
        raise UserError(
            f"{who} lacks {len(lacking)} of the weights that {kind} has: {_some(lacking)}",
            key="initial",
            fix="Take a complete causal language model",
        )
    if other := sorted(loading["mismatched_keys"]):
        shapes = [f"{name} {list(found)} instead of {list(wanted)}" for name, found, wanted in other]
        raise UserError(
            f"{who} has {len(other)} weights of other shapes than its config.json says: {_some(shapes)}",
            key="initial",
            fix="Take the config.json that belongs to these weights",
        )
    if left := _left_over(loading["unexpected_keys"]):
        raise UserError(
            f"{who} has {len(left)} weights that {kind} has no place for, so another function would be loaded than was "
            f"saved: {_some(left)}",
            key="initial",
            fix="If they belong to the language model (layers, biases, norms, an adapter's matrices), take the "
            "config.json that they were saved with, or merge the adapter; if not (a head for rewards, another "
            "modality), load the model with AutoModelForCausalLM, save it with save_pretrained, and give that folder",
        )


def require_finite(model: PreTrainedModel, who: str) -> None:
    """
    Raises:
        UserError: a weight is no finite number.
    """
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            dtype = str(weight.dtype).removeprefix("torch.")
            raise UserError(
                f"{who} has weights that are no finite numbers once they are {dtype}, the first of them in {name}",
                key="initial",
                fix="Take an undamaged copy; of weights that are too large for float16, another dtype",
            )


def _left_over(unexpected: set[str]) -> list[str]:
    ahead = tuple(found[1] for name in unexpected if (found := LAYER_AHEAD.match(name)))
    return sorted(
        name
        for name in unexpected
        if not BUFFERS.search(name) and not AHEAD.search(name) and not name.startswith(ahead)
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")


def load_pretrained(start: Start, scratch: Path) -> PreTrainedModel:
    """The model, its weights in the start's dtype.

    Args:
        scratch: a folder for files that are needed meanwhile.

    Raises:
        UserError: it cannot be loaded, or not whole, or holds other weights than its configuration says, or not
            without what the settings forbid.
    """
    source = start.source
    with located(start, scratch) as at:
        if not isinstance(source, Gguf):
            require_weights(at.folder, source)
        try:
            model, loading = AutoModelForCausalLM.from_pretrained(
                str(at.folder),
                gguf_file=at.gguf,
                dtype=getattr(torch, source.dtype),
                attn_implementation=source.attention,
                trust_remote_code=source.trust_remote_code,
                use_safetensors=None if source.pickle else True,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported, and refused below by name
                generation_config=GenerationConfig(),  # so that the folder's own is not read
            )
        except Exception as error:  # libraries raise many kinds of errors over foreign files
            raise unreadable("model", source, error) from None
    model = _without_quantization(model, source)
    require_loaded_whole(model, loading, source.label)
    require_finite(model, source.label)
    return model


def _without_quantization(model: PreTrainedModel, source: Hub | Local | Gguf) -> PreTrainedModel:
    """A GGUF's weights are whole again once loaded, but the model still calls itself quantized, which
    cannot be saved; so they go into a model of the same configuration without that."""
    if getattr(model.config, "quantization_config", None) is None:
        return model
    if not isinstance(source, Gguf):
        raise UserError(
            f"{source.label} is quantized, and such weights can neither be trained nor cut",
            key="initial",
            fix="Take the model that it was quantized from",
        )
    settings = model.config.to_dict()
    del settings["quantization_config"]
    return rebuilt(model, type(model.config).from_dict(settings), model.state_dict())


def rebuilt(model: PreTrainedModel, config: PreTrainedConfig, weights: dict[str, torch.Tensor]) -> PreTrainedModel:
    """A model of the same class and dtype with another configuration, holding these weights."""
    with own_random_numbers(model.device):
        fresh = type(model)._from_config(
            config, dtype=model.dtype, attn_implementation=model.config._attn_implementation
        )
    fresh.load_state_dict(weights, assign=True)
    fresh.tie_weights()
    return fresh.eval()
