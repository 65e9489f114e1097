"""What costs are worked out from: the plan, its store, dimensions and texts, and words for what is not known."""

from __future__ import annotations

from clpd_bench.launch.costs.corpora import Corpora
from clpd_bench.launch.costs.dimensions import KnownDimensions
from clpd_bench.plan.cost.job import JobCost
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store

WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number."""


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
