"""Small models and splits, and what torch itself counts of work on them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from clpd_bench.corpus.reader import Ragged, Split
from clpd_bench.costs.inputs import Texts
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.batch_loss import BatchLoss, backward
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.precision import TrainedParameters
from clpd_bench.distillation.scheduled import ScheduledBatches
from clpd_bench.distillation.targets import Targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.loss import CrossEntropy, ForwardKl
from clpd_bench.settings.parts.training import Training

SHAPE = {
    "vocab_size": 2000,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}


def dimensions(model_type: str = "llama", **other: Any) -> Dimensions:
    return Dimensions.model_validate({**SHAPE, "model_type": model_type, **other, "source": "this test"})


def model(d: Dimensions, **other: Any) -> PreTrainedModel:
    """With fresh weights; on the device `meta` where the default device is."""
    settings = d.model_dump(exclude={"model_type", "source"}, exclude_none=True)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(d.model_type, **settings, **other))


def ragged(lengths: list[int]) -> Ragged:
    values = np.random.default_rng(0).integers(3, 50, sum(lengths)).astype(np.int32)
    return Ragged(values, np.cumsum([0, *lengths]))


def a_split(examples: int = 16) -> tuple[Split, Texts]:
    """Examples of 30 to 150 tokens, and their lengths."""
    rng = np.random.default_rng(1)
    prompts, responses = rng.integers(20, 90, examples), rng.integers(10, 60, examples)
    ids = np.array([f"e{i:03}" for i in range(examples)])
    split = Split(ids, ragged(prompts.tolist()), ragged(responses.tolist()), None)
    return split, Texts(prompts.astype(float), responses.astype(float), int((prompts + responses).max()), ids=ids)


class Student:
    """A model that is trained on whole batches of a split by the training loop's own step."""

    def __init__(
        self,
        d: Dimensions,
        split: Split,
        training: Training,
        loss: CrossEntropy | ForwardKl,
        targets: list[Targets | LiveTeacher],
    ) -> None:
        self.model = model(d)
        ones, vocabulary = np.ones(len(split.ids), dtype=np.int64), Vocabulary(d.vocab_size, 0)
        schedule = Schedule(split.ids, np.arange(len(ones)), ones, ones * min(1, len(targets)), np.ones(1, np.int64))
        self._batches = ScheduledBatches(
            self.model, split, schedule, targets, vocabulary, Streams(0), training.micro_batch_tokens
        )
        self._loss = BatchLoss(self.model, loss, vocabulary)
        self._trained = TrainedParameters(self.model, training)
        if training.activation_checkpointing:
            self.model.activation_checkpointing_enable()
        self.model.train()
        self._optimizer = torch.optim.AdamW(self._trained.masters.values(), lr=1e-3)

    def step(self) -> None:
        backward(self._loss, self._batches.at(1))
        torch.nn.utils.clip_grad_norm_(self._trained.masters.values(), 1.0)
        self._optimizer.step()
        self._trained.write_back()
        self._optimizer.zero_grad(set_to_none=True)


def counted_flops(work: Callable[[], object]) -> int:
    """Attention by matrix products, of which the counter knows; in-place `addmm_`, by which a float32 head's gradient
    is summed, it does not see."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        work()
    return int(counter.get_total_flops())


def allocated_at_peak(work: Callable[[], object]) -> int:
    """Bytes of tensors that `work` has at most beyond what was there, as torch's profiler sees the allocator."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        profiled.export_chrome_trace(str(file))
        events = [event for event in json.loads(file.read_text())["traceEvents"] if event.get("name") == "[memory]"]
    events.sort(key=lambda event: event["ts"])
    totals = [int(event["args"]["Total Allocated"]) for event in events]
    return max(totals) - (totals[0] - int(events[0]["args"]["Bytes"]))
