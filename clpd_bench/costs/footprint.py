"""What a plan still has to write: bytes and files, estimated from settings and corpora alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clpd_bench.corpus.reader import read_summary
from clpd_bench.costs.dimensions import KnownDimensions
from clpd_bench.flops.parameters import parameters
from clpd_bench.flops.sizes import FLOAT, WIDTHS
from clpd_bench.outside.weights import stored_parameters
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.settings.parts.training import BestValidation
from clpd_bench.settings.specs import CorpusSpec, EvaluationSpec, ModelSpec, TargetsSpec
from clpd_bench.store import Store

CHECKPOINTS = 3
"""Of a model in training: two are kept, and a third is there while it is written."""
CHECKPOINT = 3 * FLOAT
"""Bytes a parameter: the weight and AdamW's two moments."""
CHECKPOINT_FILES = 5
BESIDES = 256 * 1024
"""Bytes of any job besides what is counted here: manifest, log, tokenizer, curves."""
ITEM = 512
"""Bytes of an evaluation an example, its texts compressed."""
FILES = 20
"""Files and folders of any job, at most, with those of its attempt."""


@dataclass
class Footprint:
    """Attributes:
    unknown: labels of jobs that are not counted: their corpus is not made and nothing is declared of it, or
        nothing tells how large the pretrained weights are that they go back to.
    checkpoints: bytes of those to resume from, part of all; they go once their model is done.
    """

    bytes: int = 0
    files: int = 0
    unknown: list[str] = field(default_factory=list)
    checkpoints: int = 0


def footprint(plan: Plan, todo: set[str], store: Store, at_once: int | None = None) -> Footprint:
    """What the jobs to do will write.

    Args:
        at_once: how many models may be in training at a time; None for all.
    """
    out = Footprint()
    sizes = _Sizes(plan, store)
    in_training: list[int] = []
    for job in (job for job in plan.jobs.values() if job.key in todo):
        out.files += FILES * (1 + _beside(job.spec) if isinstance(job.spec, ModelSpec) else 1)
        written = sizes.written(job)
        if written is None:
            out.unknown.append(job.label)
            continue
        out.bytes += written + BESIDES
        if isinstance(job.spec, ModelSpec) and job.spec.training:
            in_training.append(sizes.parameters(job) or 0)
    largest = sorted(in_training, reverse=True)[:at_once]
    out.checkpoints = CHECKPOINTS * CHECKPOINT * sum(largest)
    out.bytes += out.checkpoints
    out.files += CHECKPOINTS * CHECKPOINT_FILES * len(largest)
    return out


def _beside(spec: ModelSpec) -> int:
    """Copies of the model besides the result: of steps that are kept, each in the attempt and, once it ends, in
    the artifact; of best checks, that so far, that of the newest checkpoint, and one while it is written."""
    if spec.training is None:
        return 0
    return 2 * len(spec.training.keep_steps) + (3 if isinstance(spec.training.checkpoint, BestValidation) else 0)


class _Sizes:
    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._summaries: dict[str, dict[str, Any] | None] = {}
        self._dimensions = KnownDimensions(plan, store)

    def written(self, job: Job) -> int | None:
        """Bytes that grow with model or corpus; None where that is not known yet."""
        if isinstance(job.spec, ModelSpec):
            parameters = self.parameters(job)
            return None if parameters is None else self._width(job) * parameters * (1 + _beside(job.spec))
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
        if isinstance(job.spec, EvaluationSpec):
            return ITEM * int(splits[job.spec.split]["examples"])
        return 24 * sum(int(split["examples"]) for split in splits.values())  # ids and numbers

    def parameters(self, job: Job) -> int | None:
        """Of a model job; None where nothing tells."""
        manifest = self._store.manifest(job.key)
        if manifest is not None:
            known = manifest["details"].get("parameters")
            return None if known is None else int(known)
        dimensions = self._dimensions.of(job.key)
        if dimensions is not None:
            return parameters(dimensions).total
        spec = job.spec
        assert isinstance(spec, ModelSpec)
        if spec.start is not None:
            source = spec.start.source
            return stored_parameters(source.folder) if isinstance(source, Local) else None
        if spec.architecture is not None:
            return None
        # With fewer layers, it is fewer: more than is needed rather than less.
        return self.parameters(self._plan.jobs[job.parents["initial"]])

    def _width(self, job: Job) -> int:
        """Bytes of a weight of a model as it is kept."""
        spec = job.spec
        assert isinstance(spec, ModelSpec)
        if spec.training is not None:
            return WIDTHS[spec.training.precision]
        if spec.start is not None:
            return WIDTHS[spec.start.source.dtype]
        return FLOAT if spec.architecture is not None else self._width(self._plan.jobs[job.parents["initial"]])

    def _summary(self, corpus: str) -> dict[str, Any] | None:
        if corpus not in self._summaries:
            done = self._store.is_done(corpus)
            self._summaries[corpus] = read_summary(self._store.artifact(corpus)) if done else self._expected(corpus)
        return self._summaries[corpus]

    def _expected(self, corpus: str) -> dict[str, Any] | None:
        """What the summary of a corpus will say, by what is declared of it."""
        spec = self._plan.jobs[corpus].spec
        assert isinstance(spec, CorpusSpec)
        expected, vocabulary = spec.corpus.expected, self._dimensions.vocabulary(corpus)
        if expected is None or vocabulary is None:
            return None
        examples = {"train": expected.train, "validation": expected.validation, "test": expected.test}
        splits = {
            name: {"examples": number, "response_tokens": round(number * expected.response_tokens)}
            for name, number in examples.items()
        }
        return {"vocabulary_size": vocabulary, "splits": splits}
