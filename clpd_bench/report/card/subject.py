"""Which model a card is about: its place in the ablation, its start, its teachers, an example it saw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from clpd_bench.corpus.reader import read_split
from clpd_bench.plan.plan import Job, Plan, PlannedEvaluation
from clpd_bench.store import Store


class ExampleText(NamedTuple):
    """Attributes:
    prompt, response: texts; the end token stands behind the response.
    end: the token that ends a response.
    special_tokens: whether the tokenizer's own are put around a prompt.
    """

    prompt: str
    response: str
    end: str
    special_tokens: bool


def example_of(corpus: str, store: Store, model: Path) -> ExampleText | None:
    """The first training example, read with the model's own tokenizer; None where the corpus is not in the store.

    Args:
        corpus: its key.
        model: a folder with the tokenizer.
    """
    if not store.is_done(corpus):
        return None
    from transformers import AutoTokenizer  # a second to import

    split = read_split(store.artifact(corpus), "train")
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    prompt, response = split.texts("prompt")[0], split.texts("response")[0]
    plain = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    end = tokenizer.decode([int(split.responses[0][-1])])
    return ExampleText(prompt, response, str(end), plain != split.prompts[0].tolist())


@dataclass(frozen=True)
class Teacher:
    """Attributes:
    names: what the file calls it.
    job: its model job.
    """

    names: list[str]
    job: Job


@dataclass(frozen=True)
class Subject:
    """Attributes:
    plan, job: the model's.
    cell: that it is the student of, the one asked for if there are several; None for other models.
    references: what it is evaluated as, where it is no arm's student: a teacher, a student before distillation.
    others: ids of further cells that have this very model.
    names: what the file calls it, if it is one of its models.
    """

    plan: Plan
    job: Job
    cell: PlannedEvaluation | None
    references: list[PlannedEvaluation]
    others: list[str]
    names: list[str]

    @property
    def arm(self) -> str:
        """The arm with its point of the grid: `clpd[strength=0.6]`; "" without a cell."""
        return self.cell.arm_at_point if self.cell else ""

    @property
    def evaluated(self) -> PlannedEvaluation | None:
        """What its own scores belong to."""
        return self.cell or (self.references[0] if self.references else None)

    @property
    def alone(self) -> Plan:
        """The plan with nothing evaluated but this model."""
        cells, references = ([self.cell], []) if self.cell else ([], self.references[:1])
        return replace(self.plan, cells=cells, references=references)

    @property
    def all_seeds(self) -> Plan:
        """The plan with nothing evaluated but this arm, at this point of the grid."""
        arm = self.cell.arm_at_point if self.cell else None
        mine = [cell for cell in self.plan.cells if cell.arm_at_point == arm]
        return replace(self.plan, cells=mine, references=[])

    @property
    def teachers(self) -> list[Teacher]:
        """From the weakest to the strongest."""
        roles = [role.split(".") for role in self.job.parents]
        found = []
        for kind, number in sorted((r for r in roles if len(r) == 2), key=lambda r: int(r[1])):
            job = self.plan.jobs[self.job.parents[f"{kind}.{number}"]]
            if "model" in job.parents:
                job = self.plan.jobs[job.parents["model"]]
            found.append(Teacher(self.plan.models.get(job.key, []), job))
        return found

    @property
    def line(self) -> list[Job]:
        """The models that this one comes from, itself first, fresh or pretrained weights last."""
        jobs = [self.job]
        while (initial := jobs[-1].parents.get("initial")) is not None:
            jobs.append(self.plan.jobs[initial])
        return jobs

    @property
    def corpus(self) -> tuple[str, Job] | None:
        """Name and job of what it was trained on."""
        key = self.job.parents.get("corpus")
        if key is None:
            return None
        name = next((name for name, its in self.plan.corpora.items() if its == key), self.plan.jobs[key].label)
        return name, self.plan.jobs[key]

    @property
    def reads(self) -> str | None:
        """Key of a corpus that it answers: what it was trained on, or what it was first scored on."""
        if self.corpus is not None:
            return self.corpus[1].key
        evaluations = list(self.evaluated.evaluations.values()) if self.evaluated else []
        return self.plan.jobs[evaluations[0]].parents["corpus"] if evaluations else None


def subject_of(name: str, plan: Plan, job: Job) -> Subject:
    """Of a model job, found by `name`: a cell's id or a key."""
    cells = [cell for cell in plan.cells if cell.model == job.key]
    asked = next((cell for cell in cells if cell.is_called(name)), None)
    cell = asked or (cells[0] if cells else None)
    references = [] if cell else [one for one in plan.references if one.model == job.key]
    others = [other.id for other in cells if other is not cell]
    return Subject(plan, job, cell, references, others, plan.models.get(job.key, []))


def settings_of(job: Job) -> dict[str, Any]:
    """A job's settings as plain data, without what is not set and without where files lie on this machine."""
    plain: dict[str, Any] = _plain(job.spec.model_dump(exclude_none=True))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.name if isinstance(value, Path) else value
