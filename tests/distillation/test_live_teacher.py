"""A teacher run in the student's step says what its stored targets would, at any temperature, and to its own rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from test_training_jobs import CLPD, SMALL, STUDENT, TRAINING, corpus, do
from tiny import PAD, VOCABULARY, assert_same_gradients, fused_step, tiny_model
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import micro_batches
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.targets import Targets
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.loss import ForwardKl, TargetsSettings
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.specs import ModelSpec, Supervision, TargetsSpec

KL = ForwardKl(name="forward_kl", temperature=2.0, ce_weight=0.25)
EVERYTHING = list(range(12))


@pytest.fixture
def live(teachers: list[PreTrainedModel]) -> list[Targets | LiveTeacher]:
    return [LiveTeacher(teacher, VOCABULARY, 2.0) for teacher in teachers]


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("taught", [[1, 2] * 6, [0, 2, 2, 1, 0, 1, 1, 0, 1, 0, 2, 0]])
@pytest.mark.parametrize("micro_batch_tokens", [1, 50])
def test_a_live_step_is_that_of_stored_targets_over_the_whole_vocabulary(
    split: Split,
    whole_targets: list[Targets],
    live: list[Targets | LiveTeacher],
    taught: list[int],
    micro_batch_tokens: int,
) -> None:
    def step(targets: list[Any]) -> Any:
        return fused_step(
            tiny_model(seed=1),
            split,
            EVERYTHING,
            loss=KL,
            teachers=taught,
            targets=targets,
            micro_batch_tokens=micro_batch_tokens,
        )

    (value, mine), (reference, theirs) = step(live), step(whole_targets)
    assert value == pytest.approx(reference, rel=1e-6)
    assert_same_gradients(mine, theirs, tolerance=1e-6)


def test_a_teacher_runs_over_the_rows_that_it_supervises_alone_and_without_a_graph(
    split: Split, teachers: list[PreTrainedModel], live: list[Targets | LiveTeacher]
) -> None:
    seen: list[list[int]] = [[], []]
    for m, teacher in enumerate(teachers):

        def note(module: Any, args: Any, kwargs: Any, output: Any, m: int = m) -> None:
            seen[m].append(len(output.last_hidden_state))
            assert not output.last_hidden_state.requires_grad

        teacher.get_decoder().register_forward_hook(note, with_kwargs=True)
    taught = [1, 0, 2, 0, 0, 1, 1, 0, 2, 0, 0, 0]
    fused_step(tiny_model(), split, EVERYTHING, loss=KL, teachers=taught, targets=live, micro_batch_tokens=10**6)
    assert seen == [[3], [2]]
    assert all(p.grad is None for teacher in teachers for p in teacher.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_teacher_runs_in_its_own_dtype_and_speaks_float32(split: Split, dtype: torch.dtype) -> None:
    model = tiny_model(seed=11).to(dtype)
    (batch,) = micro_batches(split, np.arange(12), 10**6, PAD, torch.device("cpu"))
    rows = LiveTeacher(model, VOCABULARY, 2.0).rows_of(batch, torch.ones(12, dtype=torch.bool))(torch.arange(5, 9))
    assert rows.ids is None
    assert {rows.logits.dtype, rows.log_z.dtype} == {torch.float32}
    assert {p.dtype for p in model.parameters()} == {dtype}
    with torch.no_grad():
        first, last = batch.row[5], batch.row[8]
        own = model(input_ids=batch.input_ids).logits[batch.row[5:9], batch.column[5:9]].float()
    assert first <= last
    torch.testing.assert_close(rows.logits, own, rtol=0, atol=1e-6 if dtype == torch.float32 else 0.05)
    torch.testing.assert_close(rows.log_z, torch.logsumexp(rows.logits / 2, -1))


def test_padding_of_a_teachers_head_takes_no_part(split: Split, whole_targets: list[Targets]) -> None:
    """Nor that of the student's, even where what stands there is likely."""
    taught = [1, 2] * 6
    plain = fused_step(tiny_model(seed=1), split, EVERYTHING, loss=KL, teachers=taught, targets=whole_targets)
    student = padded(tiny_model(seed=1), 40)
    live: list[Any] = [
        LiveTeacher(padded(tiny_model(seed=s, hidden_size=h), 37), VOCABULARY, 2.0) for s, h in ((11, 16), (12, 32))
    ]
    value, gradient = fused_step(
        student, split, EVERYTHING, loss=KL, teachers=taught, targets=live, vocabulary=VOCABULARY
    )
    assert value == pytest.approx(plain[0], rel=1e-6)
    head = gradient["lm_head.weight"]
    assert float(head[VOCABULARY:].abs().max()) == 0
    cut = {name: g[:VOCABULARY] if len(g) == 40 else g for name, g in gradient.items()}
    assert_same_gradients(cut, plain[1], tolerance=1e-6)


def padded(model: PreTrainedModel, rows: int) -> PreTrainedModel:
    model.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        model.get_output_embeddings().weight[VOCABULARY:] = 3.0
    return model


def test_live_and_top_k_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="top_k: 5 has no meaning beside live: true"):
        TargetsSettings(live=True, top_k=5)


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("live")
    inputs = {"corpus": corpus(root / "corpus")}
    spec = TargetsSpec(targets=TargetsSettings(temperatures=(2.0,)))
    for m in (1, 2):
        teacher = ModelSpec(
            architecture=SMALL, training=TRAINING, supervision=Supervision(order=Shuffled(name="shuffled")), seed=m
        )
        do("model", teacher, inputs, root / f"teacher{m}")
        do("targets", spec, {**inputs, "model": root / f"teacher{m}"}, root / f"targets{m}")
    return {
        **inputs,
        **{f"targets.{m}": root / f"targets{m}" for m in (1, 2)},
        **{f"teacher.{m}": root / f"teacher{m}" for m in (1, 2)},
    }


def test_a_live_students_job_is_that_of_stored_targets(parents: dict[str, Path], tmp_path: Path) -> None:
    """At a temperature that nobody has declared; what the teachers cost is counted."""
    losses, flops = [], []
    for name, role in ((False, "targets"), (True, "teacher")):
        shuffled = {"order": Shuffled(name="shuffled"), "pacing": None, "live": name}
        spec = STUDENT.model_copy(update={"supervision": CLPD.model_copy(update=shuffled)})
        inputs = {key: parents[key] for key in ("corpus", f"{role}.1", f"{role}.2")}
        measured = do("model", spec, inputs, tmp_path / role)
        flops.append(measured.flops)
        losses.append(json.loads((tmp_path / role / "training.json").read_text())["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert 1.3 * flops[0] == pytest.approx(flops[1], rel=0.03)  # of 3 forward passes' worth, one more


def test_a_live_teacher_of_another_vocabulary_is_refused(parents: dict[str, Path], tmp_path: Path) -> None:
    other = corpus(tmp_path / "bpe", {"name": "bpe", "vocabulary_size": 270})
    spec = STUDENT.model_copy(
        update={
            "supervision": CLPD.model_copy(update={"order": Shuffled(name="shuffled"), "pacing": None, "live": True})
        }
    )
    with pytest.raises(UserError, match="teacher 1 has another tokenizer"):
        do("model", spec, {**parents, "corpus": other}, tmp_path / "out")
