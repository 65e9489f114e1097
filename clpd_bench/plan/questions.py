"""What a trained student is asked, and the declaration of what will be compared before anything is seen.

Each arm is a part of a comparison's question: what its student starts from, who teaches it, and the arm's rules.
Learning rate, steps, curriculum, loss, targets and seeds are settings: whoever changes one asks the same again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from clpd_bench.plan.keys import digest, identities
from clpd_bench.plan.plan import Job, PlannedEvaluation
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import identity
from clpd_bench.settings.rules.analysis import compared_arms
from clpd_bench.settings.specs import CorpusSpec, EvaluationSpec, ModelSpec, TaskSpec

_SETTINGS = ("loss", "stages", "pacing", "live")
"""Of a supervision, what is no rule of the arm."""
_NOT_TESTED = ("train", "validation", "limit")
"""Of a corpus's source, what test items do not depend on, but for how many there are."""


class Question(NamedTuple):
    """Attributes:
    arm: what the student starts from (fresh weights: the architecture, whatever the seed), the teachers that
        supervise it, weakest first, and the rules of order and teachers; a plug-in by its bytes and arguments.
    setting: with all that the student's training is given, but for the seed.
    """

    arm: str
    setting: str


def questions(jobs: Mapping[str, Job]) -> Callable[[str], Question]:
    """Of a cell's student, by the key of its model."""
    identity = identities(jobs)

    @functools.cache
    def of(model: str) -> Question:
        job = jobs[model]
        assert isinstance(job.spec, ModelSpec)
        start = _start(jobs, job.parents["initial"], identity)
        teachers = [identity(teacher) for teacher in _teachers(jobs, job)]
        supervision = fingerprint(job.spec.supervision)
        settings = {name: value for name, value in fingerprint(job.spec).items() if name != "seed"}
        parents = {role: identity(key) for role, key in job.parents.items() if role != "initial"}
        return Question(
            digest({"student": start, "teachers": teachers, "rules": _rules(supervision)}),
            digest({"student": start, "settings": settings, "parents": parents}),
        )

    return of


def items_source(jobs: Mapping[str, Job], evaluation: str) -> str:
    """What an evaluation's items are taken from, known before it is made: a task by its name, a test split by its
    source, however many of it are asked for."""
    job = jobs[evaluation]
    assert isinstance(job.spec, EvaluationSpec)
    if isinstance(job.spec.benchmark, TaskSpec):
        return digest({"task": job.spec.benchmark.task})
    corpus = jobs[job.parents["corpus"]].spec
    assert isinstance(corpus, CorpusSpec)
    source = {name: value for name, value in fingerprint(corpus.corpus.source).items() if name not in _NOT_TESTED}
    if isinstance(source.get("test"), int):  # of made examples; elsewhere it says which file they are in
        del source["test"]
    return digest({"source": source, "files": {r: h for r, h in corpus.file_hashes.items() if r != "train"}})


def _start(jobs: Mapping[str, Job], initial: str, identity: Callable[[str], str]) -> Any:
    spec = jobs[initial].spec
    assert isinstance(spec, ModelSpec)
    return identity(initial) if spec.architecture is None or spec.training else fingerprint(spec.architecture)


def _teachers(jobs: Mapping[str, Job], student: Job) -> list[str]:
    """Keys of the models that supervise it, whether live or by stored targets; weakest first."""
    found = {}
    for role, key in student.parents.items():
        kind, _, number = role.partition(".")
        if kind in ("targets", "teacher"):
            found[int(number)] = jobs[key].parents["model"] if kind == "targets" else key
    return [found[number] for number in sorted(found)]


def _rules(supervision: dict[str, Any]) -> dict[str, Any]:
    rules = {name: value for name, value in supervision.items() if name not in _SETTINGS}
    return {name: _rules(value) if name in ("order_of", "teachers_of") else value for name, value in rules.items()}


def declaration(ablation: Ablation, cells: list[PlannedEvaluation], jobs: Mapping[str, Job]) -> dict[str, Any]:
    """What the file's `analysis:` says, and which evaluations it is about, each with its part of the question.

    Plain JSON; the store registers it when it is first run. A setting of the analysis that has its default is
    left out (correction and alpha, which were there from the first, are not), so that a new one leaves
    declarations as they are.
    """
    analysis = ablation.analysis
    compared = compared_arms(ablation)
    asked = questions(jobs)
    return {
        **fingerprint(analysis),
        "correction": analysis.correction,
        "alpha": analysis.alpha,
        "arms": {name: _arm(ablation, name) for name in compared},
        "seeds": list(ablation.seeds),
        "evaluations": {
            key: {**asked(cell.model)._asdict(), "items_source": items_source(jobs, key)}
            for cell in cells
            if cell.name in compared
            for key in cell.evaluations.values()
        },
    }


def _arm(ablation: Ablation, name: str) -> dict[str, Any]:
    """Without a `tuned` of which there is none, so that files without tuning declare nothing of it."""
    tuned = ablation.arms[name].tuned
    return {**identity(ablation, name), **({"tuned": tuned} if tuned else {})}
