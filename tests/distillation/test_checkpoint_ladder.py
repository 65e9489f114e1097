"""A checkpoint of another model is that model as its training left it at that step."""

from __future__ import annotations

from pathlib import Path

import torch
from test_training_jobs import SHUFFLED, SMALL, corpus, do

from clpd_bench.distillation.models import load_model
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import ModelSpec


def test_a_checkpoint_is_the_model_that_the_training_kept(tmp_path: Path) -> None:
    training = Training(epochs=2, steps=6, learning_rate=5e-3, keep_steps=(2, 5))
    inputs = {"corpus": corpus(tmp_path / "corpus")}
    spec = ModelSpec(architecture=SMALL, training=training, supervision=SHUFFLED, seed=0)
    do("model", spec, inputs, tmp_path / "whole")
    found = {}
    for step in (2, 5):
        out = tmp_path / f"at {step}"
        measured = do("model", ModelSpec(step=step, seed=0), {"initial": tmp_path / "whole"}, out)
        found[step] = load_model(out)
        kept = load_model(tmp_path / "whole" / "steps" / str(step))
        assert all(torch.equal(a, b) for a, b in zip(found[step].parameters(), kept.parameters(), strict=True))
        assert measured.details == {"parameters": kept.num_parameters(), "step": step}
        assert (out / "tokenizer.json").exists()
        assert not (out / "steps").exists()
    assert not torch.equal(found[2].lm_head.weight, found[5].lm_head.weight)
