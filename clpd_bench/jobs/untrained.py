"""Models that are made without training: pretrained weights brought in, and a larger model with fewer layers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_split
from clpd_bench.corpus.tokenizers import pretrained_tokenizer
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.keep_layers import cut, kept_layers, layer_cosines, layers_of
from clpd_bench.distillation.model_checks import require_causal_rows
from clpd_bench.distillation.models import load_model, require_positions, save_model
from clpd_bench.distillation.pretrained import load_pretrained
from clpd_bench.distillation.spent_flops import comparing_flops
from clpd_bench.distillation.vocabulary import Vocabulary, require_rows, require_same_vocabulary
from clpd_bench.jobs.body import Measured
from clpd_bench.outside.weights import origin, stored_parameters
from clpd_bench.settings.parts.model import Cosine, KeepLayers
from clpd_bench.settings.parts.pretrained import Start


def brought_in(start: Start, out: Path) -> Measured:
    """Pretrained weights as they are, with their tokenizer, as a plain folder."""
    tokenizer = pretrained_tokenizer(start, out)
    model = load_pretrained(start, out)
    require_rows(model, Vocabulary.of(tokenizer).size, start.source.label)
    require_causal_rows(model, start.source.label)
    save_model(model, tokenizer, out)
    return Measured(details={"parameters": model.num_parameters(), "came_from": origin(start)})


def as_of_step(step: int, inputs: dict[str, Path], out: Path) -> Measured:
    """The model that the training of another kept after a step."""
    shutil.copytree(inputs["initial"] / "steps" / str(step), out, dirs_exist_ok=True)
    return Measured(details={"parameters": stored_parameters(out), "step": step})


def with_fewer_layers(rule: KeepLayers, inputs: dict[str, Path], out: Path) -> Measured:
    """`layers.json` says which were kept, of how many, and the cosines where the rule goes by them."""
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["initial"]))
    model = load_model(inputs["initial"], "auto").to(device()).eval()
    require_causal_rows(model, "the model that is cut")
    measured: dict[str, object] = {}
    tokens = flops = 0

    def cosines() -> NDArray[np.float64]:
        nonlocal tokens, flops
        assert isinstance(rule, Cosine)
        corpus_tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
        require_same_vocabulary(corpus_tokenizer, tokenizer, "the model whose layers are compared")
        split = read_split(inputs["corpus"], "train")
        require_positions(model, int(split.tokens[: rule.examples].max()), "the model whose layers are compared")
        found = layer_cosines(model, split, rule.examples)
        tokens = int(split.tokens[: rule.examples].sum())
        flops = comparing_flops(model, split, rule.examples)
        measured["cosines"] = [round(float(value), 6) for value in found]
        return found

    layers = len(layers_of(model)[1])
    kept = kept_layers(rule, layers, cosines)
    smaller = cut(model, kept)
    save_model(smaller, tokenizer, out)
    details = {"kept_layers": kept, "of_layers": layers, **measured}
    (out / "layers.json").write_text(json.dumps(details))
    return Measured(tokens, flops, {"parameters": smaller.num_parameters(), **details})
