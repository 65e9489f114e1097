"""SmolLM2 with a third of its layers learns from the whole one, on SVAMP's text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.models import load_model
from clpd_bench.jobs.body import Context, Measured, body
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, Loss, TargetsSettings
from clpd_bench.settings.parts.model import Listed
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import ModelSpec, Spec, Supervision, TargetsSpec

STEPS = 16
LAYERS = (0, 1, 8, 10, 18, 20, 28, 29)
TRAINING = Training(steps=STEPS, learning_rate=6e-4, warmup_steps=4, precision="bfloat16", freeze_embeddings=True)


def run(spec: Spec, inputs: dict[str, Path], out: Path) -> Path:
    kind = {ModelSpec: "model", TargetsSpec: "targets"}[type(spec)]  # type: ignore[index]
    measured = body(kind)(spec, inputs, out, Context(out / "attempt"))  # type: ignore[arg-type]
    assert isinstance(measured, Measured)
    return out


@torch.inference_mode()
def held_out_kl(student: Path, teacher: Path, corpus: Path, examples: int = 12) -> float:
    """Mean KL(teacher || student), nats a response token, from the models' own forward passes."""
    split = read_split(corpus, "validation")
    models = load_model(teacher).eval(), load_model(student).eval()
    total, tokens = 0.0, 0
    for i in range(min(examples, len(split.ids))):
        sequence = torch.from_numpy(np.concatenate([split.prompts[i], split.responses[i]]).astype(np.int64))[None]
        at = slice(len(split.prompts[i]) - 1, -1)
        p, q = (F.log_softmax(model(input_ids=sequence).logits[0, at].double(), -1) for model in models)
        total += float((p.exp() * (p - q)).sum())
        tokens += len(split.responses[i])
    return total / tokens


@pytest.mark.soak
def test_distilling_brings_a_cut_student_nearer_to_its_teacher_than_cross_entropy_does(
    smollm2: Path, svamp: Path, tmp_path: Path
) -> None:
    def folder(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    keep = Listed(name="list", layers=LAYERS)
    cut = run(ModelSpec(keep_layers=keep, seed=0), {"initial": smollm2}, folder("cut"))
    inputs = {"corpus": svamp, "model": smollm2}
    targets = run(TargetsSpec(targets=TargetsSettings(top_k=64)), inputs, folder("targets"))

    def student(name: str, loss: Loss) -> Path:
        supervision = Supervision(loss=loss, order=Shuffled(name="shuffled"), teachers=int(name == "distilled"))
        parents = {"corpus": svamp, "initial": cut, "targets.1": targets}
        return run(ModelSpec(training=TRAINING, supervision=supervision, seed=0), parents, folder(name))

    distilled = held_out_kl(student("distilled", ForwardKl(name="forward_kl")), smollm2, svamp)
    by_gold = held_out_kl(student("by_gold", CrossEntropy(name="cross_entropy")), smollm2, svamp)
    before = held_out_kl(cut, smollm2, svamp)
    print(f"held-out KL to the teacher after {STEPS} steps: {distilled:.3f} / {by_gold:.3f}, before {before:.3f}")
    assert distilled < 0.9 * by_gold
    assert distilled < 0.9 * before
