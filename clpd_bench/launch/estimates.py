"""How long a job may take, from those like it that are done."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from typing import Any

from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

UNTRAINED_SECONDS = 10.0
"""For a model that is only initialised, before one has been."""


def measured(plan: Plan, store: Store) -> dict[str, float]:
    """Seconds of the plan's finished jobs, by key."""
    manifests = {key: store.manifest(key) for key in plan.jobs}
    return {key: float(found.get("seconds", 0.0)) for key, found in manifests.items() if found is not None}


class Estimates:
    """Seconds of a plan's jobs: measured where they are done, else the median of those alike.

    Alike are jobs of a kind with the same settings but for seed, order, stages and teachers, on the same
    corpus, whose models are alike in turn.
    """

    def __init__(self, plan: Plan, measured: Mapping[str, float]) -> None:
        self._plan = plan
        self._alike: dict[str, str] = {}
        self.measured = measured
        by_likeness: dict[str, list[float]] = {}
        for key, seconds in measured.items():
            by_likeness.setdefault(self._likeness(key), []).append(seconds)
        self._median = {likeness: statistics.median(values) for likeness, values in by_likeness.items()}

    def seconds(self, key: str) -> float | None:
        """None where nothing like it is done."""
        if key in self.measured:
            return self.measured[key]
        known = self._median.get(self._likeness(key))
        job = self._plan.jobs[key]
        untrained = job.kind == "model" and job.spec.model_dump(include={"training"})["training"] is None
        return UNTRAINED_SECONDS if known is None and untrained else known

    def _likeness(self, key: str) -> str:
        if key not in self._alike:
            job = self._plan.jobs[key]
            spec: dict[str, Any] = job.spec.model_dump(mode="json", exclude={"seed", "supervision"})
            parents = [self._likeness(job.parents[role]) for role in ("model", "initial") if role in job.parents]
            self._alike[key] = json.dumps([job.kind, spec, job.parents.get("corpus"), parents], sort_keys=True)
        return self._alike[key]
