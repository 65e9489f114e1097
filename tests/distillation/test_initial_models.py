"""Models from a configuration: a function of architecture, vocabulary and seed, and loadable anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import END, PAD, TOKENIZER, tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from clpd_bench.distillation.head import head_of
from clpd_bench.distillation.models import hidden_states, load_model, save_model

KINDS = ["llama", "qwen3"]
IDS = torch.tensor([[4, 9, 3, 7, 7, 20], [5, 5, 5, 8, 12, 3]])


def same_weights(a: PreTrainedModel, b: PreTrainedModel) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_seed_decides_the_initial_weights_and_nothing_else_does(kind: str) -> None:
    torch.manual_seed(0)
    first = tiny_model(kind, seed=1)
    torch.manual_seed(123)
    before = torch.get_rng_state()
    again = tiny_model(kind, seed=1)
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator has moved"
    assert same_weights(first, again)
    other = tiny_model(kind, seed=2)
    matrices = [(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True) if a.dim() == 2]
    assert matrices
    assert not any(torch.equal(a, b) for a, b in matrices)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("hidden_size", "initializer_range"), [(16, None), (64, None), (32, 0.05)])
def test_initial_scale_is_the_inverse_root_of_the_width_unless_given(
    kind: str, hidden_size: int, initializer_range: float | None
) -> None:
    given = {} if initializer_range is None else {"initializer_range": initializer_range}
    model = tiny_model(kind, hidden_size=hidden_size, num_hidden_layers=2, **given)
    expected = initializer_range or hidden_size**-0.5
    matrices = {name: p for name, p in model.named_parameters() if p.dim() == 2}
    assert len(matrices) == 2 + 2 * 7
    for name, p in matrices.items():
        rows = p.detach()[p.abs().sum(-1) > 0]  # transformers leaves the pad token's embedding at zero
        assert len(rows) >= len(p) - 1
        assert float(rows.std()) == pytest.approx(expected, rel=4 / (2 * rows.numel()) ** 0.5), name
        assert abs(float(rows.mean())) < 4 * expected / rows.numel() ** 0.5, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [False, True])
def test_saved_model_gives_equal_logits_when_transformers_loads_it(kind: str, tied: bool, tmp_path: Path) -> None:
    model = tiny_model(kind, num_hidden_layers=2, tie_word_embeddings=tied).eval()
    save_model(model, TOKENIZER, tmp_path)
    assert not list(tmp_path.glob("*.bin"))
    with torch.no_grad():
        expected = model(input_ids=IDS).logits
        for loaded in (AutoModelForCausalLM.from_pretrained(str(tmp_path)), load_model(tmp_path)):
            assert type(loaded) is type(model)
            assert loaded.dtype == torch.float32
            assert torch.equal(loaded.eval()(input_ids=IDS).logits, expected)
            assert (loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight) is tied
    tokenizer = AutoTokenizer.from_pretrained(str(tmp_path))
    assert tokenizer.get_vocab() == TOKENIZER.get_vocab()
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (PAD, END)
    assert (loaded.config.pad_token_id, loaded.config.eos_token_id) == (PAD, END)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tied", [False, True])
def test_hidden_states_times_head_are_the_models_own_logits(kind: str, tied: bool) -> None:
    """Nothing (a scale, a soft cap, a norm) stands between the two."""
    model = tiny_model(kind, num_hidden_layers=2, tie_word_embeddings=tied).eval()
    with torch.no_grad():
        torch.testing.assert_close(head_of(model).logits(hidden_states(model, IDS)), model(input_ids=IDS).logits)


def test_load_never_reads_a_pickle(tmp_path: Path) -> None:
    model = tiny_model()
    save_model(model, TOKENIZER, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        load_model(tmp_path)
