"""Early stopping and checkpoint choice: what was declared, and what it came to in each arm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.training import BestValidation, EarlyStopping, Training
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.store import Store

Of = Callable[[Training], str]
Details = dict[str, dict[str, Any]]
"""Of the manifests of students that are done, by key."""


def choices_planned(plan: Plan) -> list[str]:
    """A sentence for each kind of early stopping and of checkpoint choice; none by default."""
    return [
        *(
            f"Early stopping, {how}{arms}: an arm has at most the steps, tokens and exposure of the whole run, and has "
            "its learning rate."
            for how, arms in _declared(plan, _stopping)
        ),
        *(
            f"Checkpoint, {how}{arms}: a student is what it was at that look, whatever its run went on to."
            for how, arms in _declared(plan, _checkpoint)
        ),
    ]


def choices_made(plan: Plan, store: Store) -> list[str]:
    """The same of a plan whose students are done: the steps that each arm took, and the step chosen of them."""
    details = {
        cell.model: manifest.get("details", {}) for cell in plan.cells if (manifest := store.manifest(cell.model))
    }
    return [
        *(
            f"Early stopping, {how}{arms}: {_stopped(plan, details, how)} Steps taken, mean (least to most): "
            f"{_steps(plan, details, _stopping, how, _taken)}."
            for how, arms in _declared(plan, _stopping)
        ),
        *(
            f"Checkpoint, {how}{arms}: what was shown after it is no part of a student, though of its cost. Step "
            f"chosen, mean (least to most): {_steps(plan, details, _checkpoint, how, _chosen)}."
            for how, arms in _declared(plan, _checkpoint)
        ),
    ]


def _stopped(plan: Plan, details: Details, how: str) -> str:
    done = {key for _, key, training in _trainings(plan) if _stopping(training) == how and key in details}
    stopped = sum("stopped_early" in details[key] for key in done)
    if not stopped:
        return f"none of {len(done)} students was stopped by it."
    return f"{stopped} of {len(done)} students were stopped, so arms are not equal in steps, tokens and exposure."


def _stopping(training: Training) -> str:
    if (early := training.early_stopping) is None:
        return ""
    by = f" of more than {early.min_delta:g}" if early.min_delta else ""
    return f"after {early.patience} looks without a gain{by} in validation {_looks(early)}"


def _checkpoint(training: Training) -> str:
    best = training.checkpoint
    return f"the best look at validation {_looks(best)}" if isinstance(best, BestValidation) else ""


def _looks(one: EarlyStopping | BestValidation) -> str:
    return f"{one.metric} (every {one.every} {'step' if one.every == 1 else 'steps'})"


def _declared(plan: Plan, of: Of) -> list[tuple[str, str]]:
    """What is declared, and for which arms where that is not all of them."""
    arms: dict[str, dict[str, None]] = {}
    for arm, _, training in _trainings(plan):
        arms.setdefault(of(training), {})[arm] = None
    every = set().union(*arms.values()) if arms else set()
    return [(how, "" if set(its) == every else f" ({', '.join(its)})") for how, its in arms.items() if how]


def _trainings(plan: Plan) -> Iterator[tuple[str, str, Training]]:
    """Of each cell its arm, its student's key and training."""
    for cell in plan.cells:
        spec = plan.jobs[cell.model].spec
        if isinstance(spec, ModelSpec) and spec.training is not None:
            yield cell.name, cell.model, spec.training


def _taken(details: dict[str, Any]) -> int | None:
    return details.get("steps")


def _chosen(details: dict[str, Any]) -> int | None:
    chosen = details.get("chosen")
    return None if chosen is None else int(chosen["step"])


def _steps(plan: Plan, details: Details, of: Of, how: str, step_of: Callable[[dict[str, Any]], int | None]) -> str:
    """`standard_kd 80 (75 to 85); clpd 100 (100 to 100)`, of the students that are done."""
    steps: dict[str, list[int]] = {}
    for arm, key, training in _trainings(plan):
        step = step_of(details.get(key, {}))
        if of(training) == how and step is not None:
            steps.setdefault(arm, []).append(step)
    return "; ".join(f"{arm} {sum(all_) / len(all_):.4g} ({_range(all_)})" for arm, all_ in steps.items()) or "none yet"


def _range(steps: list[int]) -> str:
    return f"{min(steps)} to {max(steps)}"
