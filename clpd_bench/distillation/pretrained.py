"""Pretrained weights brought in: loaded by transformers, kept as a plain folder like any model."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedConfig, PreTrainedModel

from clpd_bench.distillation.loaded_whole import require_finite, require_loaded_whole
from clpd_bench.errors import UserError
from clpd_bench.settings.pretrained import Gguf, Hub, Local, Start
from clpd_bench.starts import located, unreadable
from clpd_bench.weight_files import require_weights


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
    require_loaded_whole(model, loading, source.written)
    require_finite(model, source.written)
    return model


def _without_quantization(model: PreTrainedModel, source: Hub | Local | Gguf) -> PreTrainedModel:
    """A GGUF's weights are whole again once loaded, but the model still calls itself quantized, which
    cannot be saved; so they go into a model of the same configuration without that."""
    if getattr(model.config, "quantization_config", None) is None:
        return model
    if not isinstance(source, Gguf):
        raise UserError(
            f"{source.written} is quantized, and such weights can neither be trained nor cut",
            key="initial",
            fix="Take the model that it was quantized from",
        )
    settings = model.config.to_dict()
    del settings["quantization_config"]
    return rebuilt(model, type(model.config).from_dict(settings), model.state_dict())


def rebuilt(model: PreTrainedModel, config: PreTrainedConfig, weights: dict[str, torch.Tensor]) -> PreTrainedModel:
    """A model of the same class and dtype with another configuration, holding these weights."""
    with torch.random.fork_rng():
        fresh = type(model)._from_config(
            config, dtype=model.dtype, attn_implementation=model.config._attn_implementation
        )
    fresh.load_state_dict(weights, assign=True)
    fresh.tie_weights()
    return fresh.eval()
