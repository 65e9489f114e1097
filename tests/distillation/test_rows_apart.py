"""No slicing changes what a row is read as: not under dropout, not where rotary frequencies depend on lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pretrained_like import model as pretrained_like
from tiny import (
    PAD,
    TOKENIZER,
    TOKENS,
    VOCABULARY,
    assert_same_gradients,
    fused_step,
    plain_step,
    random_split,
    response_logits,
    tiny_model,
    train_on,
)
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import draws_in_training, length_boundaries, save_model
from clpd_bench.distillation.targets import read_targets, write_targets
from clpd_bench.distillation.train import Record
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.flops.sizes import by_length
from clpd_bench.jobs.reader import load_reader
from clpd_bench.settings.parts.loss import ForwardKl, TargetsSettings
from clpd_bench.settings.parts.training import Training

SLICES = [1, 50, 10**6]
EVERYTHING = list(range(12))
KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.25)
BOUNDARY = 10
"""Rows of the fixture's split have 2 to 15 tokens; some are read as long, some as short."""


def gpt2(**settings: Any) -> PreTrainedModel:
    """With dropout of .1 in four places, as its configuration has it."""
    return pretrained_like("gpt2", VOCABULARY, pad_token_id=PAD, **settings)


def trained(model: PreTrainedModel, split: Split, folder: Path, micro_batch_tokens: int, stop_at: int = 0) -> Record:
    training = Training(
        epochs=2, steps=4, learning_rate=0.01, micro_batch_tokens=micro_batch_tokens, checkpoint_seconds=0.0
    )
    told: list[int] = []
    context = Context(folder, should_stop=lambda: told[-1] == stop_at, progress=lambda done, of: told.append(done))
    return train_on(model, split, training, context)


def same(a: PreTrainedModel, b: PreTrainedModel) -> bool:
    return all(map(torch.equal, a.parameters(), b.parameters()))


def test_a_model_with_dropout_is_trained_alike_in_any_micro_batches(split: Split, tmp_path: Path) -> None:
    """Bit for bit, and where it goes on after an interruption in others."""
    models = [gpt2() for _ in range(3)]
    one, other = (trained(m, split, tmp_path / f"{n}", n) for m, n in zip(models, (20, 8192), strict=False))
    assert same(models[0], models[1])
    assert one.loss == other.loss
    with pytest.raises(Interrupted):
        trained(gpt2(), split, tmp_path / "parts", 20, stop_at=2)
    assert trained(models[2], split, tmp_path / "parts", 8192).loss == one.loss
    assert same(models[2], models[0])


def test_dropout_differs_by_step_and_by_presentation(split: Split, tmp_path: Path) -> None:
    """Else the test above would say less than it seems to."""
    seeds: list[int] = []
    real, model = torch.manual_seed, gpt2()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch, "manual_seed", lambda seed: (seeds.append(seed), real(seed))[1])
        record = trained(model, split, tmp_path / "a", 8192)
    assert record.dropout
    assert len(seeds) == len(set(seeds)) == 2 * len(split.ids) + len(record.loss)  # each step has one of its own, too
    without = gpt2(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    plain = trained(without, split, tmp_path / "b", 8192)
    assert not plain.dropout
    assert plain.loss[0] != record.loss[0]


DRAWING: dict[str, tuple[str, dict[str, Any]]] = {
    "dropout of modules": ("gpt2", {"attn_pdrop": 0.0}),
    "dropout of attention": ("llama", {"attention_dropout": 0.1}),
    "layers left out": ("opt", {"layerdrop": 0.1, "dropout": 0.0}),
    "noise in a router": ("mixtral", {"router_jitter_noise": 0.1, "num_local_experts": 4}),
}
SILENT: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "gpt2": ("gpt2", {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}),
    "mixtral": ("mixtral", {"num_local_experts": 4}),
}


@pytest.mark.parametrize("name", [*DRAWING, *SILENT])
def test_what_a_model_draws_in_training_is_known_and_nothing_else_moves(name: str) -> None:
    kind, settings = {**DRAWING, **SILENT}[name]
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 31}
    other = {"llama": {"intermediate_size": 16}, "opt": {"ffn_dim": 16, "word_embed_proj_dim": 16}}.get(kind, {})
    config = AutoConfig.for_model(kind, **sizes, **other, **settings)
    if kind == "mixtral":
        config.intermediate_size, config.num_key_value_heads, config.head_dim = 16, 2, 8
    model = AutoModelForCausalLM.from_config(config).eval()
    state = torch.get_rng_state()
    assert draws_in_training(model) is (name in DRAWING)
    assert not model.training
    assert torch.equal(torch.get_rng_state(), state)


def long_rope(kind: str = "llama", seed: int = 0) -> PreTrainedModel:
    """Beyond BOUNDARY tokens its frequencies are a sixteenth."""
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0] * 4,
        "long_factor": [16.0] * 4,
        "original_max_position_embeddings": BOUNDARY,
    }
    own = {"original_max_position_embeddings": BOUNDARY, "eos_token_id": 1} if kind == "phi3" else {}
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = AutoConfig.for_model(
            kind,
            vocab_size=VOCABULARY,
            num_key_value_heads=2,
            max_position_embeddings=64,
            initializer_range=0.25,
            pad_token_id=PAD,
            rope_parameters=rope,
            **sizes,
            **own,
        )
        return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("kind", ["llama", "phi3"])
def test_long_rope_reads_each_row_as_alone_whatever_lies_beside_it(kind: str, split: Split, tmp_path: Path) -> None:
    """Scores, targets, and gradients of a step, all against each example alone through transformers' own head."""
    model = long_rope(kind)
    assert length_boundaries(model) == (BOUNDARY,)
    with torch.no_grad():
        alone = [response_logits(model, split, e).float() for e in EVERYTHING]
    labels = [torch.from_numpy(split.responses[e].astype(np.int64)) for e in EVERYTHING]
    losses = [float(torch.nn.functional.cross_entropy(z, y)) for z, y in zip(alone, labels, strict=True)]
    for tokens in SLICES:
        assert score(model, split, tokens, TOKENS).response_loss == pytest.approx(losses, rel=1e-5)
        folder = tmp_path / f"{tokens}"
        folder.mkdir()
        write_targets(model, split, TargetsSettings(), tokens, TOKENS, folder, lambda done, of: None)
        stored = read_targets(folder, split, 1.0).logits[np.arange(split.responses.offsets[-1])]
        torch.testing.assert_close(torch.from_numpy(stored), torch.cat(alone), rtol=0, atol=1e-4)

    def nll(place: int, logits: torch.Tensor) -> torch.Tensor:
        return -logits.log_softmax(-1)[torch.arange(len(labels[place])), labels[place]]

    reference, theirs = plain_step(model, split, EVERYTHING, nll)
    for tokens in SLICES:
        value, mine = fused_step(model, split, EVERYTHING, micro_batch_tokens=tokens)
        assert value == pytest.approx(reference, rel=1e-5)
        assert_same_gradients(mine, theirs, tolerance=1e-5)


def test_a_live_teacher_with_long_rope_says_the_same_in_any_micro_batches(split: Split) -> None:
    """Of the student's slices, which knows no boundary itself."""
    steps = [
        fused_step(
            tiny_model(seed=1),
            split,
            EVERYTHING,
            loss=KL,
            teachers=[1] * 12,
            targets=[LiveTeacher(long_rope(), VOCABULARY, 2.0)],  # type: ignore[list-item]
            micro_batch_tokens=tokens,
        )
        for tokens in SLICES
    ]
    for value, gradient in steps[1:]:
        assert value == pytest.approx(steps[0][0], rel=1e-6)
        assert_same_gradients(gradient, steps[0][1], tolerance=1e-6)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 200), st.sets(st.integers(1, 30), max_size=3)
)
def test_no_slice_lies_on_both_sides_of_a_boundary(lengths: list[int], limit: int, boundaries: set[int]) -> None:
    array = np.array(lengths)
    slices = list(by_length(array, limit, boundaries))
    assert sorted(np.concatenate(slices).tolist()) == list(range(len(lengths)))
    for places in slices:
        assert all(len({bool(longer) for longer in array[places] > boundary}) == 1 for boundary in boundaries)
        assert len(places) == 1 or len(places) * array[places].max() <= limit


def dynamic(folder: Path, limit: int) -> Path:
    """Its frequencies grow with what it reads, and stay grown, beyond `limit` tokens."""
    model = tiny_model(max_position_embeddings=limit)
    model.config.rope_parameters = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}
    save_model(model, TOKENIZER, folder)
    return folder


def test_dynamic_scaling_is_accepted_where_nothing_is_scaled_and_refused_beyond(tmp_path: Path) -> None:
    split = random_split([(3, 5), (20, 12)])
    longest = int(split.tokens.max())
    with pytest.raises(UserError, match=f"takes {longest - 1} tokens at most"):
        load_reader(dynamic(tmp_path / "short", longest - 1), TOKENIZER, longest, "the teacher")
    model = load_reader(dynamic(tmp_path / "long", longest), TOKENIZER, longest, "the teacher")
    assert model.get_decoder().rotary_emb.rope_type == "dynamic"
    together, alone = (score(model, split, tokens, TOKENS).response_loss for tokens in (10**6, 1))
    assert together == pytest.approx(alone, rel=1e-6)
