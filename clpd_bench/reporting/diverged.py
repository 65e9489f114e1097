"""Students that diverged: outcomes, for which the ablation declares a policy."""

from __future__ import annotations

from typing import NamedTuple

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.curves import training_record
from clpd_bench.settings.analysis import AnalysisSettings
from clpd_bench.store import Store


class DivergedStudent(NamedTuple):
    """Attributes:
    why: what was no number and where, or what ended above its start.
    """

    arm: str
    seed: int
    why: str

    def __str__(self) -> str:
        return f"{self.arm} at seed {self.seed} ({self.why})"


def diverged_students(plan: Plan, store: Store) -> list[DivergedStudent]:
    """The cells whose student met a loss or gradient that was no finite number, or whose validation loss
    ended above the student's own at the start."""
    found = ((cell, divergence_of(store, cell.model)) for cell in plan.cells)
    return [DivergedStudent(cell.name, cell.seed, why) for cell, why in found if why]


def refuse_diverged(diverged: list[DivergedStudent], analysis: AnalysisSettings, file: str) -> None:
    """Raise a UserError where there are some and no policy for them was declared."""
    if not diverged or analysis.diverged != "refuse":
        return
    raise UserError(
        f"{len(diverged)} diverged, and there is no report of the others as if they had not been: "
        f"{'; '.join(map(str, diverged))}",
        file=file,
        key="analysis.diverged",
        found="refuse",
        allowed=["refuse", "last_checkpoint", "drop_pair"],
        fix="Lower the student's learning rate or clip harder, in all arms; or declare another policy (drop_pair "
        "leaves out their pairs; last_checkpoint, after clpd retry and clpd run, evaluates them as they were before "
        "the step that failed): declared after the evaluations, it makes comparisons exploratory",
    )


def divergence_of(store: Store, key: str) -> str | None:
    """How a student diverged, None where it did not or has not ended."""
    manifest = store.manifest(key)
    if manifest is None:
        attempt = store.last_attempt(key)
        failure = (attempt.failure if attempt else None) or {}
        return str(failure["message"]) if failure.get("type") == "Diverged" else None
    if told := manifest.get("details", {}).get("diverged"):
        return str(told)
    record = training_record(store, key) or {}
    looks = [look["response_loss"] for look in record.get("validation", [])]
    if len(looks) < 2:
        return None
    end, at = looks[-1], "at the end"
    if chosen := record.get("chosen"):  # the student is what it was at this look
        end, at = chosen["response_loss"], f"at step {chosen['step']:.0f}, the one chosen"
    if end <= looks[0]:  # a nan is not
        return None
    return f"its validation loss was {looks[0]:.4g} at the start and is {end:.4g} {at}"
