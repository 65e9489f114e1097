"""The space that is tuned over, as further axes of the grid, and what may stand in it."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.grid.points import GRID, check_points
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.arms import MAY_DIFFER
from clpd_bench.settings.parts.tune import TuneSettings
from clpd_bench.settings.rules.analysis import compared_arms
from clpd_bench.settings.rules.arms import references_of

UNTUNABLE = {
    "student.initial": "arms would no longer start from the same student",
    "student.corpus": "scores on two corpora cannot be compared",
    "student.training.epochs": "arms would no longer be trained for as long as each other",
    "student.training.steps": "arms would no longer be trained for as long as each other",
    "student.training.tokens_per_step": "arms would no longer be trained in as many steps as each other",
    "student.training.early_stopping": "arms would no longer be trained for as long as each other",
    "student.training.stop": "arms would no longer be trained for as long as each other",
    "curriculum.match": "arms would no longer be equal in the same things",
}
"""Settings in which arms may not come apart by being tuned: {key: why}."""


def tuned_arms(ablation: Ablation, tune: TuneSettings) -> list[str]:
    """The arms that are tuned, in the file's order."""
    names = compared_arms(ablation) if tune.arms is None else tune.arms
    return [name for name in ablation.arms if name in names]


def space_grid(ablation: Ablation, tune: TuneSettings) -> Ablation:
    """The ablation as it is before anything was chosen, with the space for its last axes."""
    arms = {name: arm.model_copy(update={"tuned": {}}) for name, arm in ablation.arms.items()}
    axes = {**ablation.axes, **tune.space}
    return ablation.model_copy(update={"arms": arms, "axes": axes, "tune": None, "tuned": None, "chosen": {}})


def check_tune(ablation: Ablation) -> None:
    """`tune:` says what can be tuned fairly, and every point of its space is an ablation that can be.

    Raises:
        UserError: with the key.
    """
    tune = ablation.tune
    if tune is None:
        if ablation.tuned is not None:
            raise UserError(
                "names tuned values, and the file has no `tune:` that says what was tuned",
                key="tuned",
                fix="Add the `tune:` block that they were chosen under, or take tuned away",
            )
        return
    for i, name in enumerate(tune.arms or ()):
        known(name, ablation.arms, "arm", f"tune.arms.{i}")
    for i, seed in enumerate(tune.seeds):
        if seed in ablation.seeds:
            raise UserError(
                f"seed {seed} is one of the reported seeds, on which values may not be chosen",
                key=f"tune.seeds.{i}",
                fix="Tune on seeds of its own, such as 100 and 101",
            )
    if ablation.student.training.stop is not None:
        raise UserError(
            "a student that stops at a declared score cannot be tuned: a trial that never reaches it fails, and all "
            "others end at the same",
            key="student.training.stop",
            fix="Take stop away, or tune: and tuned:",
        )
    for key in tune.space:
        _check_key(ablation, tune, key)
    try:
        check_points(space_grid(ablation, tune))
    except UserError as error:
        inside = any((error.key or "").startswith(f"axes.{key}.") for key in tune.space)
        raise error.at(key=error.key.replace("axes.", "tune.space.", 1) if error.key and inside else None) from None


def _check_key(ablation: Ablation, tune: TuneSettings, key: str) -> None:
    place = f"tune.space.{key}"
    if key.split(".")[0] not in MAY_DIFFER:
        allowed = [f"{part}.<key>" for part in MAY_DIFFER]
        raise UserError(f"an arm cannot have its own {key!r}", key=place, allowed=allowed)
    for other, why in UNTUNABLE.items():
        if _overlap(key, other):
            raise UserError(f"{other} cannot be tuned: {why}", key=place, fix="Let it vary under `axes:` instead")
    for part in GRID[:2]:
        for axis in getattr(ablation, part):
            if _overlap(key, axis):
                raise UserError(
                    f"{axis} is an axis of the file, and a setting is either varied or chosen",
                    key=place,
                    fix=f"Take it out of `{part}:` or out of the space",
                )
    for name in tuned_arms(ablation, tune):
        for own in ablation.arms[name].differs:
            if _overlap(key, own):
                raise UserError(
                    f"arm {name!r} declares its own {own} under `differs:`, and cannot be tuned over {key} too",
                    key=place,
                    fix=f"Take {own} out of the arm's `differs:`, or the arm out of tune.arms",
                )
    _check_references(ablation, key)


def _check_references(ablation: Ablation, key: str) -> None:
    """What an arm takes from another would not be the same where the two may be given other curricula."""
    if not key.startswith("curriculum"):
        return
    for name, arm in ablation.arms.items():
        for part, other in references_of(arm):
            raise UserError(
                f"arm {name!r} takes its {part.split('.')[0]} from arm {other!r}, and may be given another curriculum",
                key=f"tune.space.{key}",
                fix="Tune settings of student.training or loss, or leave the arm out of this file",
            )


def _overlap(one: str, other: str) -> bool:
    """Whether one of two keys lies inside the other, or is it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
