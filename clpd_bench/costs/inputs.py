"""What costs are worked out from: a plan, its store, its models' dimensions, and its corpora's examples as lengths.

Lengths are those of a made corpus; of one that is expected, all are the mean. What is not known has its words here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split, read_split
from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.dimensions import KnownDimensions
from clpd_bench.flops.sizes import WIDTHS
from clpd_bench.flops.tokens import Largest, Read, read_in_batches
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.parts.corpus import Expected
from clpd_bench.settings.specs import CorpusSpec, ModelSpec
from clpd_bench.store import Store

Lengths = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """N examples.

    Attributes:
        prompts, responses: shape [N], tokens; of expected ones the means, which need not be whole.
        estimated: whether they are expected, and not counted.
        longest: tokens of the longest, prompt and response.
        ids: shape [N], where the corpus is made.
        choices: shape [N], of each example, where it has some.
    """

    prompts: NDArray[np.float64]
    responses: NDArray[np.float64]
    longest: int
    estimated: bool = False
    ids: NDArray[np.str_] = field(default_factory=lambda: np.array([], dtype=np.str_))
    choices: NDArray[np.int64] | None = None

    @property
    def tokens(self) -> NDArray[np.float64]:
        return self.prompts + self.responses

    @property
    def counted(self) -> tuple[Lengths, Lengths]:
        """Tokens and responses of examples that are not expected, in whole numbers."""
        return self.tokens.astype(np.int64), self.responses.astype(np.int64)

    def __len__(self) -> int:
        return len(self.prompts)

    def first(self, examples: int) -> Texts:
        mine = slice(examples)
        return Texts(self.prompts[mine], self.responses[mine], self.longest, self.estimated, self.ids[mine])


def passes(texts: Texts, batches: Iterable[NDArray[np.int64]], padded_tokens: int) -> tuple[Read, Largest]:
    """What goes through a model in micro-batches of at most so many padded tokens.

    Args:
        batches: positions of examples; each of them is cut into micro-batches of its own.
    """
    if texts.estimated:
        return _expected(texts, batches, padded_tokens)
    return read_in_batches(*texts.counted, batches, padded_tokens)


def _expected(texts: Texts, batches: Iterable[NDArray[np.int64]], padded_tokens: int) -> tuple[Read, Largest]:
    """All rows are of one length, so nothing is padded; the longest example may be a micro-batch alone."""
    sizes = [len(examples) for examples in batches]
    length, response = float(texts.tokens[0]), float(texts.responses[0])
    shown, width = sum(sizes), length - 1
    at_once = max(sizes) * length
    most = min(max(padded_tokens, texts.longest), max(at_once, texts.longest))
    read = Read(shown * width, shown * width**2, shown * response)
    return read, Largest(round(most), round(most * response / length), at_once > padded_tokens)


def whole(texts: Texts) -> list[NDArray[np.int64]]:
    """All examples as one batch, for `passes`."""
    return [np.arange(len(texts))]


CHOICES = {"commonsense_qa": 5}
"""Of each example, by the source of its corpus."""


class Corpora:
    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._texts: dict[tuple[str, str], Texts | None] = {}

    def texts(self, corpus: str, split: str) -> Texts | None:
        """Of `train`, `validation` or `test`; None where the corpus is not made and nothing is declared of it."""
        place = (corpus, split)
        if place not in self._texts:
            self._texts[place] = self._find(corpus, split)
        return self._texts[place]

    def _find(self, corpus: str, split: str) -> Texts | None:
        spec = self._plan.jobs[corpus].spec
        assert isinstance(spec, CorpusSpec)
        if self._store.is_done(corpus):
            return _counted(read_split(self._store.artifact(corpus), split))
        expected = spec.corpus.expected
        return None if expected is None else _declared(expected, split, CHOICES.get(spec.corpus.source.name))


def _counted(split: Split) -> Texts:
    choices = None
    if "choices" in split.table.column_names:
        choices = np.array([len(one) for one in split.texts("choices")])
    prompts, responses = (part.lengths.astype(np.float64) for part in (split.prompts, split.responses))
    return Texts(prompts, responses, int(split.tokens.max()), False, split.ids, choices)


def _declared(expected: Expected, split: str, choices: int | None) -> Texts:
    examples = {"train": expected.train, "validation": expected.validation, "test": expected.test}[split]
    return Texts(
        np.full(examples, expected.prompt_tokens),
        np.full(examples, expected.response_tokens),
        expected.longest,
        estimated=True,
        choices=None if choices is None else np.full(examples, choices),
    )


class Sources:
    def __init__(self, plan: Plan, store: Store) -> None:
        self.plan, self.store = plan, store
        self.dimensions, self.corpora = KnownDimensions(plan, store), Corpora(plan, store)

    def precision(self, key: str) -> str:
        """Of a model's weights as they are kept."""
        spec = self.plan.jobs[key].spec
        assert isinstance(spec, ModelSpec)
        if spec.training is not None:
            return spec.training.precision
        if spec.start is not None:
            return spec.start.source.dtype
        return "float32" if spec.architecture is not None else self.precision(self.plan.jobs[key].parents["initial"])

    def width(self, key: str) -> int:
        """Bytes of a model's weight as it is kept."""
        return WIDTHS[self.precision(key)]

    def teachers(self, job: Job) -> list[str]:
        """Keys of the models that teach a student, live or by their targets, from the weakest to the strongest."""
        out: list[str] = []
        for role in ("teacher", "targets"):
            while (parent := job.parents.get(f"{role}.{len(out) + 1}")) is not None:
                out.append(parent if role == "teacher" else self.plan.jobs[parent].parents["model"])
        return out

    def estimates(self, corpus: str, *models: str) -> bool:
        """Whether the corpus is not made yet, or a model's dimensions are declared alone."""
        return not self.store.is_done(corpus) or any(map(self.dimensions.is_declared, models))

    def nothing_of(self, model: str) -> JobCost:
        """The cost of what waits for a model's dimensions."""
        label = self.plan.jobs[model].label
        root = model
        while "initial" in self.plan.jobs[root].parents:
            root = self.plan.jobs[root].parents["initial"]
        spec = self.plan.jobs[root].spec
        if isinstance(spec, ModelSpec) and spec.architecture is not None:
            return self.no_texts(self.plan.jobs[root].parents["corpus"])
        return JobCost(
            unknown=f"the dimensions of {label}: fetch its config.json, or write `dimensions` under its initial"
        )

    def no_texts(self, corpus: str) -> JobCost:
        """The cost of what waits for a corpus."""
        label = self.plan.jobs[corpus].label
        return JobCost(unknown=f"the tokens of {label}: make it with --corpus, or write `expected` under it")
