"""What a file declares of models and corpora that are not at hand: closed, and checked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clpd_bench.settings.parts.corpus import Expected
from clpd_bench.settings.parts.dimensions import Dimensions

D = {
    "model_type": "qwen2",
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "source": "its config.json",
}
E = {
    "train": 6000,
    "validation": 700,
    "test": 1319,
    "prompt_tokens": 100,
    "response_tokens": 140.5,
    "longest": 700,
    "source": "a count",
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "gpt2"}, "'llama', 'mistral', 'qwen2', 'qwen3' or 'gemma3_text'"),
        ({"hidden_size": 900}, "hidden_size 900 is no multiple of num_attention_heads 14; give head_dim"),
        ({"num_key_value_heads": 4}, "num_attention_heads 14 is no multiple of num_key_value_heads 4"),
        ({"layers": 24}, "Extra inputs"),
        ({"source": ""}, "at least 1 character"),
    ],
)
def test_dimensions_that_no_model_has_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Dimensions.model_validate({**D, **change})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"longest": 240}, "the mean example has 240.5 tokens .* more than the longest, 240"),
        ({"validation": 0}, "greater than or equal to 1"),
        ({"source": ""}, "at least 1 character"),
        ({"tokens": 3}, "Extra inputs"),
    ],
)
def test_a_corpus_that_cannot_be_is_not_expected(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Expected.model_validate({**E, **change})


def test_what_is_left_out_follows_from_the_rest() -> None:
    d = Dimensions.model_validate({**D, "num_key_value_heads": None})
    assert (d.key_value_heads, d.head_size, d.queries, d.keys) == (14, 64, 896, 896)
    assert Dimensions.model_validate({**D, "head_dim": 128}).keys == 256
