"""From the store to the chosen values: trials' scores, what each arm is given, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clpd_bench.analysis.tuning import choose, edges, mean_and_sd
from clpd_bench.errors import UserError
from clpd_bench.plan.tuning import PlannedTrial, Tuning
from clpd_bench.reporting.diverged import divergence_of
from clpd_bench.settings.arms import identity
from clpd_bench.settings.tuned import Budget, Trial, Tuned, TunedArm, declared
from clpd_bench.store import Store


def unfinished(tuning: Tuning, store: Store) -> list[str]:
    """Labels of the trials' students that have neither ended nor diverged."""
    left = [key for key in tuning.students if not store.is_done(key) and divergence_of(store, key) is None]
    return [tuning.plan.jobs[key].label for key in left]


def outcome(tuning: Tuning, store: Store) -> Tuned:
    """Of trials that have all ended.

    Raises:
        UserError: an arm of which every trial at a point diverged.
    """
    tune = declared(tuning.ablation, tuning.tune)
    revisions = {
        str(manifest["git"]) for key in tuning.students if (manifest := store.manifest(key)) and manifest.get("git")
    }
    points = {point: {name: _arm(point, name, tuning, store) for name in tune.arms or ()} for point in tuning.points}
    return Tuned(tune=tune, git=tuple(sorted(revisions)), points=points)


def _arm(point: str, name: str, tuning: Tuning, store: Store) -> TunedArm:
    planned = [trial for trial in tuning.trials if (trial.point, trial.arm) == (point, name)]
    trials = [_trial(one, tuning, store) for one in planned]
    place = choose([trial.mean for trial in trials], tuning.tune.metric)
    if place is None:
        where = f" at the point {point}" if len(tuning.points) > 1 else ""
        raise UserError(
            f"every trial of arm {name!r} diverged{where}, and nothing can be chosen for it",
            file=tuning.plan.file,
            key="tune.space",
            fix="Add values at which it can learn: lower learning rates, a harder clip",
        )
    best = trials[place]
    assert best.mean is not None
    return TunedArm(
        **identity(tuning.ablation, name),
        chosen=best.values,
        mean=best.mean,
        sd=best.sd,
        edges=tuple(edges(best.values, tuning.tune.space)),
        budget=_budget(planned, tuning, store),
        trials=tuple(trials),
    )


def _trial(planned: PlannedTrial, tuning: Tuning, store: Store) -> Trial:
    scores = {seed: _score(store, key, tuning.tune.metric) for seed, key in planned.students.items()}
    mean, sd = mean_and_sd(scores.values())
    return Trial(
        values=plain(planned.values),
        mean=mean,
        sd=sd,
        n=len(scores),
        diverged=sum(score is None for score in scores.values()),
        scores=scores,
        students=planned.students,
    )


def _score(store: Store, key: str, metric: str) -> float | None:
    """Of the weights that training left, on the validation split; None for a student that diverged."""
    if divergence_of(store, key) is not None:
        return None
    manifest = store.manifest(key)
    assert manifest is not None
    details = manifest["details"]
    # Where a checkpoint was chosen, the weights are its, and not those of the last step.
    return float((details.get("chosen") or details["validation"])[metric])


def _budget(planned: Sequence[PlannedTrial], tuning: Tuning, store: Store) -> Budget:
    students = {key for trial in planned for key in trial.students.values()}
    made = [manifest for key in students if (manifest := store.manifest(key))]
    return Budget(
        trials=len(planned),
        seeds=len(tuning.tune.seeds),
        students=len(students),
        steps=sum(int(manifest["details"]["steps"]) for manifest in made),
        tokens=sum(int(manifest["tokens"]) for manifest in made),
    )


def plain(value: Any) -> Any:
    """With lists for tuples, as a file has them."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
