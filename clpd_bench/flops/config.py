"""Dimensions out of a configuration of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from pydantic import ValidationError

from clpd_bench.settings.parts.dimensions import Dimensions, Family

DEFAULTS: dict[Family, dict[str, Any]] = {
    "llama": {},
    "mistral": {"num_key_value_heads": 8},
    "qwen2": {"num_key_value_heads": 32},
    "qwen3": {"num_key_value_heads": 32, "head_dim": 128},
    "gemma3_text": {"num_key_value_heads": 4, "head_dim": 256, "tie_word_embeddings": True},
}
"""What transformers takes for keys that a configuration leaves out, where that differs from `Dimensions`."""
NAMES = {*Dimensions.model_fields} - {"source"}


def dimensions_of_config(config: Mapping[str, Any], source: str) -> Dimensions | None:
    """None where it is of a family that is not known here.

    Args:
        source: what the configuration is called.
    """
    if config.get("model_type") not in get_args(Family):
        return None
    family = cast(Family, config["model_type"])
    given = {name: config[name] for name in NAMES if config.get(name) is not None}
    try:
        return Dimensions(**{**DEFAULTS[family], **given, "source": source})
    except ValidationError:
        return None
