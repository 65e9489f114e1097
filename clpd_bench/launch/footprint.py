"""What a plan still has to write: bytes and files, estimated from settings and corpora alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.model import Llama, Qwen3
from clpd_bench.settings.specs import ModelSpec, TargetsSpec
from clpd_bench.store import Store

FLOAT = 4
CHECKPOINTS = 3
"""Of a model in training: two are kept, and a third is there while it is written."""
CHECKPOINT = 3 * FLOAT
"""Bytes a parameter: the weight and AdamW's two moments."""
CHECKPOINT_FILES = 5
BESIDES = 256 * 1024
"""Bytes of any job besides what is counted here: manifest, log, tokenizer, curves."""
ITEM = 512
"""Bytes of an evaluation a test example, its texts compressed."""
FILES = 20
"""Files and folders of any job, at most, with those of its attempt."""


@dataclass
class Footprint:
    """Attributes:
    unknown: labels of jobs that are not counted, since their corpus is not made yet.
    """

    bytes: int = 0
    files: int = 0
    unknown: list[str] = field(default_factory=list)


def footprint(plan: Plan, todo: set[str], store: Store, at_once: int | None = None) -> Footprint:
    """What the jobs to do will write.

    Args:
        at_once: how many models may be in training at a time; None for all.
    """
    out = Footprint()
    sizes = _Sizes(plan, store)
    in_training: list[int] = []
    for job in (job for job in plan.jobs.values() if job.key in todo):
        out.files += FILES
        written = sizes.written(job)
        if written is None:
            out.unknown.append(job.label)
            continue
        out.bytes += written + BESIDES
        if isinstance(job.spec, ModelSpec) and job.spec.training:
            in_training.append(sizes.parameters(job) or 0)
    largest = sorted(in_training, reverse=True)[:at_once]
    out.bytes += CHECKPOINTS * CHECKPOINT * sum(largest)
    out.files += CHECKPOINTS * CHECKPOINT_FILES * len(largest)
    return out


def parameters(architecture: Llama | Qwen3, vocabulary: int) -> int:
    """Of a model, tied embeddings counted once."""
    a = architecture
    hidden, inner = a.hidden_size, a.intermediate_size or 4 * a.hidden_size
    layer = 4 * hidden**2 + 3 * hidden * inner + 2 * hidden  # attention, gated MLP, two norms
    if isinstance(a, Qwen3):
        layer += 2 * hidden // a.num_attention_heads  # norms of queries and keys, a head's size each
    return a.num_hidden_layers * layer + hidden + vocabulary * hidden * (1 if a.tie_word_embeddings else 2)


class _Sizes:
    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._summaries: dict[str, dict[str, Any] | None] = {}

    def written(self, job: Job) -> int | None:
        """Bytes that grow with model or corpus; None where the corpus is not there."""
        summary = self._summary(job.key if job.kind == "corpus" else job.parents["corpus"])
        if summary is None:
            return None
        splits = summary["splits"]
        if isinstance(job.spec, ModelSpec):
            return FLOAT * (self.parameters(job) or 0)
        if isinstance(job.spec, TargetsSpec):
            settings, vocabulary = job.spec.targets, summary["vocabulary_size"]
            kept = min(settings.top_k or vocabulary, vocabulary)
            numbers = kept * (2 if kept < vocabulary else 1) + len(settings.temperatures)  # ids, if not all
            train = splits["train"]
            return int(FLOAT * train["response_tokens"] * numbers + 8 * train["examples"])
        if job.kind == "evaluation":
            return ITEM * int(splits["test"]["examples"])
        return 24 * sum(int(split["examples"]) for split in splits.values())  # ids and numbers

    def parameters(self, job: Job) -> int | None:
        """Of a model job; None where its corpus is not there."""
        spec, summary = job.spec, self._summary(job.parents["corpus"])
        assert isinstance(spec, ModelSpec)
        if spec.architecture is None:
            return self.parameters(self._plan.jobs[job.parents["initial"]])
        return parameters(spec.architecture, summary["vocabulary_size"]) if summary else None

    def _summary(self, corpus: str) -> dict[str, Any] | None:
        if corpus not in self._summaries:
            done = self._store.is_done(corpus)
            self._summaries[corpus] = read_summary(self._store.artifact(corpus)) if done else None
        return self._summaries[corpus]
