"""From trials in the store to the file of tuned values: scores, what each arm is given, what it cost."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clpd_bench.errors import UserError
from clpd_bench.grid.tuned import Budget, Trial, Tuned, TunedArm, declared
from clpd_bench.plan.tuning import PlannedTrial, Tuning
from clpd_bench.results.diverged import divergence_of
from clpd_bench.settings.file.yaml_reader import Dumper
from clpd_bench.settings.parts.arms import identity
from clpd_bench.settings.parts.metrics import ValidationMetric, lower_is_better
from clpd_bench.store import Store


def mean_and_sd(scores: Iterable[float | None]) -> tuple[float | None, float | None]:
    """Over the seeds of a trial; the sd is the sample's, None with fewer than two seeds.

    Both are None where a student diverged: a mean over the others would leave out what went worst.
    """
    values = list(scores)
    finite = [value for value in values if value is not None]
    if len(finite) < len(values):
        return None, None
    return statistics.fmean(finite), statistics.stdev(finite) if len(finite) > 1 else None


def choose(means: Sequence[float | None], metric: ValidationMetric) -> int | None:
    """The place of the best mean, of equal ones the first listed; None where every trial diverged."""
    sign = 1 if lower_is_better(metric) else -1
    there = [(sign * mean, place) for place, mean in enumerate(means) if mean is not None]
    return min(there)[1] if there else None


def edges(chosen: Mapping[str, Any], space: Mapping[str, Sequence[Any]]) -> list[str]:
    """Numeric keys whose chosen value is the smallest or the largest of several: a better one may lie beyond."""
    out = []
    for key, values in space.items():
        numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        if numeric and len(values) > 1 and chosen[key] in (min(values), max(values)):
            out.append(key)
    return out


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


HEAD = """\
# Written by clpd tune {name}, from scores on the validation split alone. The ablation names it (tuned: {mine}),
# and what is chosen goes into the keys of its students. Not to be changed by hand: clpd tune writes it anew.
# `points` are those of the grid, `base` where there is none; each arm was tuned at each.
# `edges` names what was chosen at an end of its space; a mean of null is that of a trial that diverged.
"""


def tuned_file(ablation_file: Path) -> Path:
    """`math.tuned.yaml` beside `math.yaml`."""
    return ablation_file.with_name(f"{ablation_file.stem}.tuned.yaml")


def write_tuned(tuned: Tuned, ablation_file: Path) -> Path:
    """The whole file or, if that cannot be, none: an older one then stays. The same trials give the same bytes.

    Raises:
        UserError: the folder cannot be written to.
    """
    file = tuned_file(ablation_file)
    body = yaml.dump(plain(tuned.model_dump()), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    text = HEAD.format(name=ablation_file.name, mine=file.name) + body
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as folder:
            new = Path(folder) / file.name
            new.write_text(text, encoding="utf-8")
            new.replace(file)
    except OSError as error:
        raise UserError(
            f"the tuned values cannot be written beside the ablation file: {error.strerror}",
            file=file,
            fix="Copy the ablation file to a folder of your own",
        ) from None
    return file
