"""Whether pretrained weights are those of the model that they were loaded into: all of them, and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedModel

from clpd_bench.errors import UserError

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
