"""Dimensions out of a `config.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from clpd_bench.settings.dimensions import Dimensions, Family

DEFAULTS: dict[Family, dict[str, Any]] = {
    "llama": {},
    "mistral": {"num_key_value_heads": 8},
    "qwen2": {"num_key_value_heads": 32},
    "qwen3": {"num_key_value_heads": 32, "head_dim": 128},
    "gemma3_text": {"num_key_value_heads": 4, "head_dim": 256, "tie_word_embeddings": True},
}
"""What transformers takes for keys that a file leaves out, where that differs from `Dimensions`."""
NAMES = {*Dimensions.model_fields} - {"source"}


def dimensions_in(config: Path, source: str) -> Dimensions | None:
    """None where the file cannot be read, or is of a family that is not known here.

    Args:
        source: what the file is called.
    """
    try:
        found = json.loads(config.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("model_type") not in get_args(Family):
        return None
    given = {name: found[name] for name in NAMES if found.get(name) is not None}
    try:
        return Dimensions(**{**DEFAULTS[found["model_type"]], **given, "source": source})
    except ValidationError:
        return None
