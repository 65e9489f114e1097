"""What a GPU would be waited for, found on torch's device `meta`: its tensors have shapes and no values. Whoever asks
for one is refused, and so is an operation on tensors of it and of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import TOKENS, VOCABULARY, one_step, random_split, tiny_model
from torch.overrides import TorchFunctionMode
from transformers import masking_utils

from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.supervisors import Teacher
from clpd_bench.distillation.targets import read_targets, write_targets
from clpd_bench.flops import sizes
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl, TargetsSettings

SPLIT = random_split([(3, 4), (5, 6), (2, 9), (4, 4), (7, 3)])
META = torch.device("meta")


def nobody(folder: Path) -> list[Teacher]:
    return []


def stored(top_k: int | None) -> Callable[[Path], list[Teacher]]:
    def teachers(folder: Path) -> list[Teacher]:
        write_targets(tiny_model(), SPLIT, TargetsSettings(top_k=top_k), 64, TOKENS, folder, lambda done, of: None)
        return [read_targets(folder, SPLIT, 1.0)] * 2

    return teachers


def live(folder: Path) -> list[Teacher]:
    return [LiveTeacher(tiny_model(hidden_size=width).to(META), VOCABULARY, 1.0) for width in (16, 32)]


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "meta", 4 * VOCABULARY)
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: False)  # which it does not know
    # transformers' own question at the beginning of each forward pass, whether rows are several texts.
    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", lambda position_ids: None)


@pytest.mark.parametrize("supervised", [[2] * 5, [1, 2, 0, 1, 2]], ids=["by one", "mixed"])
@pytest.mark.parametrize("teachers", [nobody, stored(None), stored(4), live], ids=["nobody", "whole", "top_k", "live"])
def test_a_steps_gradients_are_queued_without_a_word_from_the_gpu(
    teachers: Callable[[Path], list[Teacher]], supervised: list[int], tmp_path: Path
) -> None:
    asked, student = teachers(tmp_path), tiny_model(seed=1)
    schedule = one_step(SPLIT, range(5), supervised if asked else [0] * 5)
    batches = ScheduledBatches(student, SPLIT, schedule, asked or None, TOKENS, Streams(0), 24)
    loss = ForwardKl(name="forward_kl", ce_weight=0.1) if asked else CrossEntropy(name="cross_entropy")
    student.to(META)
    value, places = backward(BatchLoss(student, loss, TOKENS), batches.at(1))
    assert places.tolist() == [*range(5)]
    assert value.is_meta
    assert all(p.grad is not None and p.grad.is_meta for p in student.parameters())
    with pytest.raises(RuntimeError, match="meta"):
        value.item()


class Asked(TorchFunctionMode):
    """Counts how often a tensor is asked for what is in it."""

    WORDS = (torch.Tensor.cpu, torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.__bool__, torch.Tensor.__float__)
    times = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.times += function in self.WORDS
        return function(*args, **(kwargs or {}))


def test_a_gpu_is_not_asked_for_scores_and_targets_chunk_by_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(chunk: int) -> int:
        monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cpu", chunk * VOCABULARY)
        with Asked() as seen:
            score(tiny_model(), SPLIT, 10**6, TOKENS)
            write_targets(tiny_model(), SPLIT, TargetsSettings(top_k=4), 10**6, TOKENS, tmp_path, lambda done, of: None)
        return seen.times

    assert asked(2) == asked(10**6) > 0
