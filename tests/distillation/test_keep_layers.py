"""A model cut out of a larger one computes what the larger one does with its other layers skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pretrained_like import IDS_OF_TEXT, model, saved
from test_training_jobs import do

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation import keep_layers
from clpd_bench.distillation.keep_layers import cut, kept_layers, layer_cosines
from clpd_bench.distillation.models import load_model
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.model import Cosine, Every, FirstLast, Listed
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.settings.specs import CorpusSpec, ModelSpec

KINDS = ["llama", "qwen3", "gemma3_text", "gpt2"]


def by_hand(llama: Any, ids: torch.Tensor, kept: list[int]) -> torch.Tensor:
    """Logits of a Llama of which only some layers run, out of its parts."""
    inner = llama.model
    hidden = inner.embed_tokens(ids)
    places = torch.arange(ids.shape[1])[None]
    rotary = inner.rotary_emb(hidden, places)
    for i in kept:
        hidden = inner.layers[i](hidden, position_embeddings=rotary, position_ids=places)
    return llama.lm_head(inner.norm(hidden))


@torch.no_grad()
def test_kept_layers_are_those_of_the_larger_model() -> None:
    large = model("llama")
    mine = cut(large, [0, 2, 3])(input_ids=IDS_OF_TEXT).logits
    torch.testing.assert_close(mine, by_hand(large, IDS_OF_TEXT, [0, 2, 3]))
    assert not torch.allclose(mine, by_hand(large, IDS_OF_TEXT, [0, 1, 2]), atol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [[0, 3], [1, 2, 3], [2]])
def test_a_cut_model_generates_alike_with_and_without_cache(kind: str, kept: list[int], tmp_path: Path) -> None:
    smaller = cut(model(kind), kept)
    smaller.save_pretrained(str(tmp_path))
    for mine in (smaller, load_model(tmp_path).eval()):
        a, b = (
            mine.generate(
                IDS_OF_TEXT, max_new_tokens=6, min_new_tokens=6, do_sample=False, use_cache=use, pad_token_id=0
            )
            for use in (True, False)
        )
        assert a.shape[1] == IDS_OF_TEXT.shape[1] + 6
        assert torch.equal(a, b)
        assert mine.config.num_hidden_layers == len(kept)


def test_settings_that_stand_once_a_layer_go_with_their_layers() -> None:
    assert cut(model("gemma3_text"), [1, 2, 3]).config.layer_types == [
        "full_attention",
        "sliding_attention",
        "full_attention",
    ]


def test_a_cut_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be if a setting that stands once a layer stayed where it was."""
    large = model("gemma3_text", layer_types=["sliding_attention"] * 3 + ["full_attention"])
    real = keep_layers._smaller_config

    def stale(*arguments: Any) -> Any:
        config = real(*arguments)
        config.layer_types = ["sliding_attention"] * len(config.layer_types)
        return config

    monkeypatch.setattr(keep_layers, "_smaller_config", stale)
    with pytest.raises(UserError, match="no smaller model can be cut out"):
        cut(large, [0, 3])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Listed(name="list", layers=(0, 4, 5)), [0, 4, 5]),
        (FirstLast(name="first_last", first=2, last=1), [0, 1, 5]),
        (FirstLast(name="first_last", first=3, last=3), [0, 1, 2, 3, 4, 5]),
        (Every(name="every", n=2), [0, 2, 4]),
        (Every(name="every", n=4), [0, 4]),
        (Cosine(name="cosine", layers=3, corpus=""), [1, 2, 5]),
    ],
)
def test_rules(rule: Any, expected: list[int]) -> None:
    """By cosine: those with the smallest; of the two at .5 the earlier."""
    assert kept_layers(rule, 6, lambda: np.array([0.9, 0.2, 0.5, 0.99, 0.5, -0.3])) == expected


@pytest.mark.parametrize(
    "rule",
    [
        Listed(name="list", layers=(0, 6)),
        FirstLast(name="first_last", first=4, last=3),
        FirstLast(name="first_last", first=0, last=0),
        Cosine(name="cosine", layers=7, corpus=""),
    ],
)
def test_a_rule_that_asks_for_more_than_there_is_is_an_error(rule: Any) -> None:
    with pytest.raises(UserError, match="the model has 6"):
        kept_layers(rule, 6, lambda: np.zeros(6))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    saved(tmp_path / "large")
    start = start_of(Local(name="local", folder=tmp_path / "large"), tokenizer_alone=True)
    settings = {
        "source": {"name": "chained_sums", "operations": [1, 2], "train": 24, "validation": 6, "test": 6},
        "tokenizer": {"name": "of", "model": ""},
        "answer_marker": ":",
        "max_tokens": 40,
    }
    do("corpus", CorpusSpec(corpus=settings, tokenizer_of=start), {}, tmp_path / "corpus")  # type: ignore[arg-type]
    return tmp_path / "corpus"


@torch.no_grad()
def test_cosines_are_over_all_tokens_of_the_first_examples(corpus: Path) -> None:
    large = model("llama")
    split = read_split(corpus, "train")
    before: list[list[torch.Tensor]] = [[] for _ in range(4)]
    for i in range(5):
        ids = torch.tensor([*split.prompts[i], *split.responses[i]])[None].long()
        states = [by_hand_states(large, ids, n) for n in range(5)]
        for layer in range(4):
            before[layer].append(F.cosine_similarity(states[layer], states[layer + 1], dim=-1)[0])
    expected = [float(torch.cat(values).mean()) for values in before]
    np.testing.assert_allclose(layer_cosines(large, split, 5), expected, rtol=1e-5)


def by_hand_states(llama: Any, ids: torch.Tensor, layers: int) -> torch.Tensor:
    inner = llama.model
    hidden, places = inner.embed_tokens(ids), torch.arange(ids.shape[1])[None]
    for layer in inner.layers[:layers]:
        hidden = layer(hidden, position_embeddings=inner.rotary_emb(hidden, places), position_ids=places)
    return hidden


def test_the_job_says_which_layers_it_kept(tmp_path: Path, corpus: Path) -> None:
    rule = Cosine(name="cosine", layers=2, corpus="", examples=4)
    inputs = {"initial": tmp_path / "large", "corpus": corpus}
    measured = do("model", ModelSpec(keep_layers=rule, seed=0), inputs, tmp_path / "cut")
    told = json.loads((tmp_path / "cut" / "layers.json").read_text())
    assert told["kept_layers"] == measured.details["kept_layers"]
    cosines = layer_cosines(load_model(tmp_path / "large").eval(), read_split(corpus, "train"), 4)
    np.testing.assert_allclose(told["cosines"], cosines, atol=1e-5)
    assert told["kept_layers"] == sorted(np.argsort(cosines)[:2].tolist())
    assert load_model(tmp_path / "cut").config.num_hidden_layers == 2
    assert (tmp_path / "cut" / "tokenizer.json").exists()
