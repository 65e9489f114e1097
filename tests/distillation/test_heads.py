"""Heads of transformers' own models, applied by hand: equal to their forward, or the model is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny import tiny_model
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from clpd_bench.distillation.head import Head, head_of
from clpd_bench.distillation.model_checks import require_known_head
from clpd_bench.distillation.models import hidden_states
from clpd_bench.errors import UserError

SMALL = {
    "vocab_size": 41,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": 1,
    "initializer_range": 1.0,
}
"""Weights as large as make logits that a soft-cap bends."""
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "llama": ({}, {}),
    "qwen2": ({}, {}),
    "qwen3": ({}, {}),
    "gemma2": ({"final_logit_softcapping": 5.0, "query_pre_attn_scalar": 8}, {"soft_cap": 5.0}),
    "gemma3_text": ({"query_pre_attn_scalar": 8}, {}),
    "granite": ({"logits_scaling": 8.0}, {"scale": 1 / 8}),
    "cohere": ({"logit_scale": 0.0625}, {"scale": 0.0625}),
    "phi": ({}, {}),
    "gptj": (
        {"n_embd": 16, "n_layer": 2, "n_head": 2, "rotary_dim": 4, "n_inner": 16, "n_positions": 64},
        {},
    ),
}


def made(kind: str) -> PreTrainedModel:
    own = KINDS[kind][0]
    settings = {k: v for k, v in SMALL.items() if kind != "gptj" or k in ("vocab_size", "initializer_range")}
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{**settings, **own})).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("lm_head.bias"):
                p.normal_()
    return model.eval()


IDS = torch.tensor([[4, 9, 3, 7, 7, 40], [5, 5, 5, 8, 12, 3]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_head_is_the_models_own(kind: str, dtype: torch.dtype) -> None:
    model = made(kind).to(dtype)
    with torch.no_grad():
        own, states = model(input_ids=IDS).logits.float(), hidden_states(model, IDS)
    head = head_of(model)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    assert float((head.logits(states) - own).detach().norm() / own.norm()) < tolerance
    require_known_head(model, "it")
    assert not model.training


@pytest.mark.parametrize("kind", ["gemma2", "granite", "cohere", "phi", "gptj"])
def test_what_a_head_does_besides_its_product_matters_here(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would say less than it seems to: without it, the check refuses."""
    model = made(kind)
    for field, value in KINDS[kind][1].items():
        assert getattr(head_of(model), field) == pytest.approx(value)
    assert (head_of(model).bias is not None) is (kind in ("phi", "gptj"))
    monkeypatch.setattr(
        "clpd_bench.distillation.model_checks.head_of", lambda model: Head(model.get_output_embeddings().weight)
    )
    with pytest.raises(UserError, match="that is not known here"):
        require_known_head(model, "the teacher")


class Squared(LlamaForCausalLM):
    """Its forward does to its logits what no configuration tells."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output = super().forward(*args, **kwargs)
        output.logits = output.logits + 0.01 * output.logits.square()
        return output


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_that_does_something_else_to_its_logits_is_refused(dtype: torch.dtype) -> None:
    model = Squared(LlamaConfig(**SMALL)).to(dtype)
    expected = (
        r"initial: the teacher \(Squared\) does something to its logits that is not known here: its own .* by 0\."
    )
    with pytest.raises(UserError, match=expected):
        require_known_head(model, "the teacher")


def test_a_head_that_is_no_linear_layer_is_refused() -> None:
    model = tiny_model()
    model.set_output_embeddings(torch.nn.Sequential(model.get_output_embeddings()))
    with pytest.raises(UserError, match="output head is no linear layer"):
        require_known_head(model, "the student")


def test_padding_rows_are_cut_off_and_fewer_rows_than_tokens_are_refused() -> None:
    model = tiny_model()
    assert head_of(model, 20).vocabulary == 20
    assert torch.equal(head_of(model, 20).weight, model.get_output_embeddings().weight[:20])
    with pytest.raises(ValueError, match="has 23 rows for 24 tokens"):
        head_of(model, 24)
    assert head_of(model, 23).weight is model.get_output_embeddings().weight


@pytest.mark.parametrize("kind", ["llama", "qwen3", "granite"])
def test_attention_is_causal_without_a_mask_being_built(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask of rows x length x length would keep the kernels for causal attention from being taken."""
    seen: list[tuple[object, object]] = []
    real = torch.nn.functional.scaled_dot_product_attention

    def recorded(*args: Any, **kwargs: Any) -> torch.Tensor:
        seen.append((kwargs.get("attn_mask"), kwargs.get("is_causal")))
        return real(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", recorded)
    hidden_states(made(kind), IDS)
    assert seen == [(None, True)] * 2
