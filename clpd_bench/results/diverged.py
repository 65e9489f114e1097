"""Students that diverged: outcomes, for which the ablation declares a policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clpd_bench.analysis.declaration import INTERACTION, Factorial
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.results.curves import training_record
from clpd_bench.settings.parts.analysis import AnalysisSettings
from clpd_bench.store import Store


class DivergedStudent(NamedTuple):
    """Attributes:
    why: what was no number and where, or how its training loss rose.
    """

    arm: str
    seed: int
    why: str

    def __str__(self) -> str:
        return f"{self.arm} at seed {self.seed} ({self.why})"


def diverged_students(plan: Plan, store: Store) -> list[DivergedStudent]:
    """The cells whose student met a loss or gradient that was no finite number, or whose training loss rose (see
    `risen`) and whose validation loss did not fall."""
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


def biases(
    diverged: Sequence[DivergedStudent], arms: Sequence[str], baseline: str, factorial: Factorial | None
) -> dict[str, str]:
    """{arm, or INTERACTION: a clause} for each comparison that leaves more students of one side out than of the other.

    Those that are left out are the worst, so the side that lost more of them looks better than it is.
    """
    sides: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        arm: ((arm,), (baseline,)) for arm in arms if arm != baseline
    }
    if factorial is not None:
        added = factorial.clpd, factorial.standard
        sides[INTERACTION] = (added, (factorial.data_ordering, factorial.teacher_scheduling))
    found = {}
    for name, pair in sides.items():
        counts = [sum(one.arm in side for one in diverged) for side in pair]
        if counts[0] != counts[1]:
            more, less = (0, 1) if counts[0] > counts[1] else (1, 0)
            whose, others = " and ".join(pair[more]), " and ".join(f"{arm}'s" for arm in pair[less])
            its = "its" if len(pair[more]) == 1 else "their"
            found[name] = (
                f"biased in favour of {whose}: {counts[more]} of {its} students diverged and were left out, "
                f"{counts[less] or 'none'} of {others}"
            )
    return found


def divergence_of(store: Store, key: str) -> str | None:
    """How a student diverged, None where it did not or has not ended."""
    manifest = store.manifest(key)
    if manifest is None:
        attempt = store.last_attempt(key)
        failure = (attempt.failure if attempt else None) or {}
        return str(failure["message"]) if failure.get("type") == "Diverged" else None
    if reason := manifest.get("details", {}).get("diverged"):
        return str(reason)
    if (record := training_record(store, key)) is None:
        return None
    losses, looks = record["loss"], record.get("validation", [])
    if chosen := record.get("chosen"):  # the student is what it was at this look, whatever its run went on to
        losses, looks = losses[: int(chosen["step"])], [chosen]
    if looks and not math.isfinite(looks[-1]["response_loss"]):
        return f"its validation loss is {looks[-1]['response_loss']} at the end"
    rise = risen(losses)
    if rise is None or not looks:
        return rise
    start, end = (look["response_loss"] for look in (record["validation"][0], looks[-1]))
    # Against a stronger teacher, or on harder data, a loss measures something else: who has learnt has not diverged.
    return None if end < start else f"{rise}; its validation loss was {start:.4g} before the first and is {end:.4g}"


def risen(losses: Sequence[float]) -> str | None:
    """How a training loss rose, None where it did not: its mean over the last tenth of the steps is above that over
    the first tenth. A tenth of S >= 1 steps is ceil(S / 10) of them; a run of one step has not risen.

    The losses are those that were trained on. Where teachers or data change on the way, so does what they measure.
    """
    tenth = math.ceil(len(losses) / 10)
    first, last = (float(np.mean(part)) for part in (losses[:tenth], losses[-tenth:]))
    if last <= first:  # a nan is not
        return None
    steps = "step" if tenth == 1 else f"{tenth} steps"
    return f"its mean training loss was {first:.4g} over the first {steps} and is {last:.4g} over the last"
