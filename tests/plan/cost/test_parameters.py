"""Weights counted from dimensions are those that transformers makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from measured import dimensions, model

from clpd_bench.flops.parameters import parameters
from clpd_bench.settings.parts.dimensions import Dimensions

FORMS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "num_key_value_heads": None}),
    ("llama", {"attention_bias": True, "mlp_bias": True}),
    ("llama", {"head_dim": 24}),
    ("mistral", {"num_key_value_heads": 1}),
    ("qwen2", {}),
    ("qwen2", {"tie_word_embeddings": True}),
    ("qwen3", {"head_dim": 32}),
    ("qwen3", {"attention_bias": True, "tie_word_embeddings": True}),
    ("gemma3_text", {"tie_word_embeddings": True, "head_dim": 32}),
]


@pytest.mark.parametrize(("model_type", "other"), FORMS)
def test_they_are_as_many_as_transformers_makes(model_type: str, other: dict[str, Any]) -> None:
    d = dimensions(model_type, **other)
    with torch.device("meta"):
        made = model(d.model_copy(update={"num_key_value_heads": d.key_value_heads}))
    assert parameters(d).total == made.num_parameters()
    embedding = made.get_input_embeddings().weight.numel()
    assert parameters(d).without_embedding == made.num_parameters() - embedding


def test_they_are_those_of_published_models() -> None:
    """Qwen2.5's model cards (huggingface.co/Qwen): 0.49 B with embeddings tied, 7.61 B with a head of its own."""
    small = Dimensions(
        model_type="qwen2",
        hidden_size=896,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        intermediate_size=4864,
        vocab_size=151936,
        tie_word_embeddings=True,
        source="config.json of Qwen2.5-0.5B",
    )
    large = Dimensions(
        model_type="qwen2",
        hidden_size=3584,
        num_hidden_layers=28,
        num_attention_heads=28,
        num_key_value_heads=4,
        intermediate_size=18944,
        vocab_size=152064,
        source="config.json of Qwen2.5-7B",
    )
    assert parameters(small).total == 494_032_768
    assert parameters(large).total == 7_615_616_512
