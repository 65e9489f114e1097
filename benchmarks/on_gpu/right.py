"""Whether the card computes what the CPU does: losses with their gradients, attention, bfloat16, targets.

References are computed on the CPU in float64 from the same weights. A float32 product on the matrix units (TF32) is off
by 3e-4, and a step that adds up in bfloat16 by 7e-5 and more: the bound of float32 refuses both.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ours import split
from pydantic import TypeAdapter
from workload import PAD, Workload

from clpd_bench.distillation.divergences import DIVERGENCES
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import hidden_states
from clpd_bench.distillation.targets import Targets, read_targets, write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.flops.sizes import CHUNK_ELEMENTS, micro_batches_of
from clpd_bench.settings.parts.loss import Loss, TargetsSettings
from on_gpu.results import Case, Check, Values, relative
from on_gpu.small import Step, one_step, reader, small, trained

FLOAT32 = 2e-5
"""Ten times what it is on a CPU."""
BFLOAT16 = 16 * 2.0**-8
"""Sixteen roundings to bfloat16; on a CPU a parameter's gradient is off by nine."""
HIDDEN = {"float32": 1e-5, "bfloat16": 0.04}
TARGETS = 1e-5
FALL = 0.1
TOP_K, SEEDS = 20, (1, 2)
POINTS = ({"temperature": 1.0}, {"temperature": 2.0, "ce_weight": 0.3})


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    CHUNK_ELEMENTS["cuda"] = CHUNK_ELEMENTS["cpu"]  # of this process: several chunks of logits
    workload = small(shrunk)
    yield from _losses(workload, device)
    yield from _attention(workload, device)
    for top_k in (None, TOP_K):
        kept = f"top {top_k}" if top_k else "whole vocabulary"
        yield Case(f"targets, {kept}", partial(_targets, workload, top_k, device))
    yield Case("bfloat16 with masters over 30 steps", partial(_masters, workload, device))
    yield Case("waits of a step", partial(_waits, workload, device))


def _losses(workload: Workload, device: str) -> Iterator[Case]:
    for dtype in ("float32", "bfloat16"):
        plain = partial(_loss, workload, {"name": "cross_entropy"}, None, dtype, device)
        yield Case(f"cross_entropy, {dtype}", plain)
    for name in (name for name in DIVERGENCES if name != "plugin"):
        for point in POINTS:
            settings = {"name": name, **point}
            said = ", ".join(f"{key} {value:g}" for key, value in point.items())
            for kept in ("whole", "live", *([] if _whole(settings) else ["top_k"])):
                for dtype in ("float32", "bfloat16") if kept == "live" else ("float32",):
                    run = partial(_loss, workload, settings, kept, dtype, device)
                    yield Case(f"{name}, {said}, {kept}, {dtype}", run)


def _whole(settings: dict[str, Any]) -> bool:
    """Whether a divergence wants the whole vocabulary."""
    made: Any = TypeAdapter(Loss).validate_python(settings)
    return bool(made.whole_vocabulary)


def _loss(
    workload: Workload, loss: dict[str, Any], kept: str | None, dtype: str, device: str
) -> tuple[Values, Check | None]:
    mine = _step(workload, loss, kept, dtype, device)
    reference = _reference(workload, tuple(loss.items()), kept)
    value = abs(mine.value - reference.value) / abs(reference.value)
    gradient = max(relative(g, reference.gradients[key]) for key, g in mine.gradients.items())
    values: Values = {"loss_nats": mine.value, "loss_apart": value, "gradient_apart": gradient}
    return values, Check(max(value, gradient), FLOAT32 if dtype == "float32" else BFLOAT16)


@cache
def _reference(workload: Workload, loss: tuple[tuple[str, Any], ...], kept: str | None) -> Step:
    return _step(workload, dict(loss), kept, "float64", "cpu")


def _step(workload: Workload, loss: dict[str, Any], kept: str | None, dtype: str, device: str) -> Step:
    student = reader(workload.student, workload.vocabulary, device, dtype)
    teachers = None
    if kept == "live":
        # Of a bfloat16 step in float32, as the reference's are finer too.
        precision = "float64" if dtype == "float64" else "float32"
        models = [reader(workload.teacher, workload.vocabulary, device, precision, seed) for seed in SEEDS]
        teachers = [LiveTeacher(model, workload.vocabulary, loss["temperature"]) for model in models]
    elif kept:
        top_k = TOP_K if kept == "top_k" else None
        teachers = [_stored(workload, top_k, loss["temperature"], "cpu", seed)[1] for seed in SEEDS]
    return one_step(student, workload, loss, teachers)


@cache
def _stored(
    workload: Workload, top_k: int | None, temperature: float, device: str, seed: int
) -> tuple[tempfile.TemporaryDirectory[str], Targets]:
    """(where they lie, a teacher's targets)."""
    folder = tempfile.TemporaryDirectory()
    settings = TargetsSettings(top_k=top_k, temperatures=(temperature,))
    teacher = reader(workload.teacher, workload.vocabulary, device, seed=seed)
    tokens, shown, place = Vocabulary(workload.vocabulary, PAD), split(workload.batch()), Path(folder.name)
    write_targets(teacher, shown, settings, workload.micro_batch_tokens, tokens, place, lambda done, of: None)
    return folder, read_targets(place, shown, temperature)


def _attention(workload: Workload, device: str) -> Iterator[Case]:
    from transformers.utils import is_flash_attn_2_available

    kinds = ["eager", "sdpa", *(["flash_attention_2"] if device == "cuda" and is_flash_attn_2_available() else [])]
    for kind in kinds:
        for dtype in ("bfloat16",) if kind == "flash_attention_2" else ("float32", "bfloat16"):
            yield Case(f"attention {kind}, {dtype}", partial(_hidden, workload, kind, dtype, device))
            yield Case(f"the same step twice, {kind}, {dtype}", partial(_twice, workload, kind, dtype, device))


def _hidden(workload: Workload, kind: str, dtype: str, device: str) -> tuple[Values, Check | None]:
    """Hidden states of all rows, padding left out."""
    reference = _states(workload, "eager", "float64", "cpu")
    apart = relative(_states(workload, kind, dtype, device), reference)
    return {}, Check(apart, HIDDEN[dtype])


@torch.no_grad()
def _states(workload: Workload, kind: str, dtype: str, device: str) -> torch.Tensor:
    student = reader(workload.student, workload.vocabulary, device, dtype)
    student.set_attn_implementation(kind)
    rows = [prompt + response for prompt, response in workload.batch()]
    padded = np.full((len(rows), max(map(len, rows))), PAD)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    states = hidden_states(student, torch.from_numpy(padded).to(device))
    return torch.cat([states[i, : len(row)] for i, row in enumerate(rows)])


def _twice(workload: Workload, kind: str, dtype: str, device: str) -> tuple[Values, Check | None]:
    """Gradients of one step, computed twice: equal to the bit, or no run on this card can be repeated."""
    student = reader(workload.student, workload.vocabulary, device, dtype)
    student.set_attn_implementation(kind)
    first, second = (
        one_step(copy.deepcopy(student), workload, {"name": "cross_entropy"}, None).gradients for _ in range(2)
    )
    return {}, Check(max(relative(g, first[key]) for key, g in second.items()), 0.0)


def _targets(workload: Workload, top_k: int | None, device: str) -> tuple[Values, Check | None]:
    """Each logit beside the CPU's of the same token; those that are kept beside the CPU's largest, by size, as equal
    ones may change places; and log Z."""
    rows = torch.arange(int(split(workload.batch()).responses.offsets[-1]))
    _cpu, whole = _stored(workload, None, 1.0, "cpu", 1)
    _device, written = _stored.__wrapped__(workload, top_k, 1.0, device, 1)  # anew, also where that is the CPU
    cpu, mine = (targets.at(rows, torch.device("cpu")) for targets in (whole, written))
    k = top_k or workload.vocabulary
    same = cpu.logits if mine.ids is None else cpu.logits.gather(-1, mine.ids)
    kept, largest = same.sort(-1, descending=True).values, cpu.logits.topk(k).values
    apart = {
        "logits_apart": relative(mine.logits, same),
        "log_z_apart": relative(mine.log_z, cpu.log_z),
        "kept_apart": relative(kept, largest) if kept.shape == largest.shape else float("inf"),
    }
    return dict(apart), Check(max(apart.values()), TARGETS)


def _waits(workload: Workload, device: str) -> tuple[Values, Check | None]:
    """How often the CPU waits for the card in a step of micro-batches with two live teachers: once for the loss,
    and at each model's forward pass, as transformers asks whether a row is several texts."""
    student = reader(workload.student, workload.vocabulary, device)
    models = [reader(workload.teacher, workload.vocabulary, device, seed=seed) for seed in SEEDS]
    teachers = [LiveTeacher(model, workload.vocabulary, 1.0) for model in models]
    if device == "cuda":
        torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            one_step(student, workload, {"name": "forward_kl"}, teachers)
    finally:
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    waits = sum("synchronizing CUDA operation" in str(one.message) for one in seen)
    slices = list(micro_batches_of(split(workload.batch()).tokens, workload.micro_batch_tokens))
    return {"micro_batches": len(slices)}, Check(waits, 1 + (1 + len(models)) * len(slices))


def _masters(workload: Workload, device: str) -> tuple[Values, Check | None]:
    """By how much the loss falls less, or more, in bfloat16 than in float32, by how much it falls in all. Many steps
    are smaller than what bfloat16 can add to a weight: of a tiny student on a CPU it is 0.02, and 0.3 where masters
    are rounded to bfloat16 too."""
    curves = []
    for precision in ("float32", "bfloat16"):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"steps": 30, "learning_rate": 3e-4, "precision": precision, "checkpoint_seconds": 1e9}
            curves.append(np.array(trained(workload, device, Path(folder), **settings)[1].loss))
    wide, narrow = (curve[0] - curve for curve in curves)
    apart = float(np.abs(wide - narrow).max() / wide[-1])
    values: Values = {"fall_float32_nats": float(wide[-1]), "fall_bfloat16_nats": float(narrow[-1])}
    return values, Check(apart, FALL)
