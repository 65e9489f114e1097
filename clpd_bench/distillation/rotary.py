"""Rotary frequencies that depend on how long a batch is."""

from __future__ import annotations

from transformers import PreTrainedModel


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
