"""What a plan still has to write: bytes and files, estimated from settings and corpora alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.model import Llama, Qwen3
from clpd_bench.settings.pretrained import Local
from clpd_bench.settings.specs import ModelSpec, TargetsSpec
from clpd_bench.starts import stored_parameters
from clpd_bench.store import Store

FLOAT, HALF = 4, 2
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
    unknown: labels of jobs that are not counted, since their corpus is not made, or the pretrained weights
        that they go back to are not brought in yet.
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
        out.files += FILES * (1 + 2 * _kept(job.spec) if isinstance(job.spec, ModelSpec) else 1)
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


def _kept(spec: ModelSpec) -> int:
    """Steps that are kept; each lies in the attempt and, once it ends, in the artifact."""
    return len(spec.training.keep_steps) if spec.training else 0


class _Sizes:
    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._summaries: dict[str, dict[str, Any] | None] = {}

    def written(self, job: Job) -> int | None:
        """Bytes that grow with model or corpus; None where that is not known yet."""
        if isinstance(job.spec, ModelSpec):
            parameters = self.parameters(job)
            return None if parameters is None else self._width(job) * parameters * (1 + 2 * _kept(job.spec))
        corpus = job.key if job.kind == "corpus" else job.parents.get("corpus")
        summary = self._summary(corpus) if corpus is not None else None
        if summary is None:
            return None
        splits = summary["splits"]
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
        """Of a model job; None where its corpus is not made, or the pretrained weights not brought in yet."""
        spec = job.spec
        assert isinstance(spec, ModelSpec)
        manifest = self._store.manifest(job.key)
        if manifest is not None:
            known = manifest["details"].get("parameters")
            return None if known is None else int(known)
        if spec.architecture is not None:
            summary = self._summary(job.parents["corpus"])
            return parameters(spec.architecture, summary["vocabulary_size"]) if summary else None
        if spec.start is not None:
            source = spec.start.source
            return stored_parameters(source.folder) if isinstance(source, Local) else None
        # With fewer layers, it is fewer: more than is needed rather than less.
        return self.parameters(self._plan.jobs[job.parents["initial"]])

    def _width(self, job: Job) -> int:
        """Bytes of a weight of a model as it is kept."""
        spec = job.spec
        assert isinstance(spec, ModelSpec)
        if spec.training is not None:
            return FLOAT if spec.training.precision == "float32" else HALF
        if spec.start is not None:
            return FLOAT if spec.start.source.dtype == "float32" else HALF
        return FLOAT if spec.architecture is not None else self._width(self._plan.jobs[job.parents["initial"]])

    def _summary(self, corpus: str) -> dict[str, Any] | None:
        if corpus not in self._summaries:
            done = self._store.is_done(corpus)
            self._summaries[corpus] = read_summary(self._store.artifact(corpus)) if done else None
        return self._summaries[corpus]
