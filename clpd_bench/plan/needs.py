"""What a plan needs of the hub: models, data sets, tasks of lm-eval."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from clpd_bench.hub import WORDS
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.pretrained import Hub
from clpd_bench.settings.revisions import is_commit
from clpd_bench.settings.sources import OfHub
from clpd_bench.settings.specs import CorpusSpec, EvaluationSpec, ModelSpec, Spec, TaskSpec


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer of a hub's model."""

    of: Hub

    @property
    def place(self) -> tuple[str, str]:
        return self.of.model, self.of.revision


Need = Hub | Tokenizer | OfHub | TaskSpec
"""Of a TaskSpec: the task, where it is one that lm-eval brings along, and its data."""


@dataclass(frozen=True)
class Named:
    """What a need is called by.

    Attributes:
        what: `model`, `data set` or `task`.
        revision: a commit, a branch or a tag; None of a task without data of the hub's.
    """

    what: str
    id: str
    revision: str | None

    @property
    def text(self) -> str:
        return f"{self.what} {self.id}" + (f" at {self.revision}" if self.revision else "")


def needs(plan: Plan, todo: Collection[str] | None = None) -> list[Need]:
    """Each once, in the plan's order; of some of its jobs alone, if `todo` says which."""
    specs = [job.spec for key, job in plan.jobs.items() if todo is None or key in todo]
    found = list({repr(need): need for spec in specs for need in _of(spec)}.values())
    whole = {(need.model, need.revision) for need in found if isinstance(need, Hub)}
    # Who has a model has its tokenizer.
    return [need for need in found if not (isinstance(need, Tokenizer) and need.place in whole)]


def named(need: Need) -> Named:
    if isinstance(need, TaskSpec):
        return Named("task", need.task, need.data.revision if need.data else None)
    if isinstance(need, Hub | Tokenizer):
        model = need if isinstance(need, Hub) else need.of
        return Named(WORDS["model"], model.model, model.revision)
    return Named(WORDS["dataset"], need.dataset, need.revision)


def is_pinned(need: Need) -> bool:
    """Whether it means the same for ever."""
    if isinstance(need, TaskSpec):
        known = need.include is not None or need.sha256 is not None
        return known and (need.data is None or is_commit(need.data.revision))
    return is_commit(named(need).revision or "")


def unpinned(plan: Plan, todo: Collection[str] | None = None) -> list[str]:
    """What is not pinned, in words; empty where the plan can be run."""
    return list(dict.fromkeys(named(need).text for need in needs(plan, todo) if not is_pinned(need)))


def _of(spec: Spec) -> Iterator[Need]:
    if isinstance(spec, CorpusSpec):
        source = spec.corpus.source
        if isinstance(source, OfHub) and source.revision is not None:
            yield source
        if spec.tokenizer_of and isinstance(spec.tokenizer_of.source, Hub):
            yield Tokenizer(spec.tokenizer_of.source)
    elif isinstance(spec, ModelSpec) and spec.start and isinstance(spec.start.source, Hub):
        yield spec.start.source
    elif isinstance(spec, EvaluationSpec) and isinstance(spec.benchmark, TaskSpec):
        task = spec.benchmark
        yield from [task] if task.include is None or task.data else []
