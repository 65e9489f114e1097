"""Whether the evaluation will have the declared primary result, and the 2 x 2 of order and teachers."""

from __future__ import annotations

from clpd_bench.errors import UserError, known
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.parts.orders import EasyToHard, Shuffled
from clpd_bench.settings.parts.teacher_rules import Strongest, WeakToStrong


def factorial_arms(ablation: Ablation) -> tuple[str, str, str, str] | None:
    """The arms that differ in nothing but {shuffled, easy_to_hard} x {strongest, weak_to_strong}, if all are
    there: neither curriculum, that of the data, that of the teachers, both."""
    corners: dict[tuple[type, type], str] = {}
    for name, arm in ablation.arms.items():
        if not arm.differs:
            corners.setdefault((type(arm.order), type(arm.teachers)), name)
    places = [(order, rule) for rule in (Strongest, WeakToStrong) for order in (Shuffled, EasyToHard)]
    if any(place not in corners for place in places):
        return None
    neither, data, teachers, both = (corners[place] for place in places)
    return neither, data, teachers, both


def compared_arms(ablation: Ablation) -> list[str]:
    """The baseline, the arms of the family, and of a declared interaction all four, in the file's order."""
    analysis = ablation.analysis
    corners = (factorial_arms(ablation) if "interaction" in analysis.family else None) or ()
    return [name for name in ablation.arms if name in {analysis.baseline, *analysis.family, *corners}]


def _check_primary(a: Ablation) -> None:
    """The primary benchmark has the primary metric, and the filter is named where it has several.

    Raises:
        UserError: otherwise.
    """
    primary = a.analysis.primary
    benchmark = a.evaluation.benchmarks[primary.benchmark]
    if benchmark.corpus is None:
        return  # what a task of lm-eval has, only lm-eval knows
    series = benchmark.series(a.corpora[benchmark.corpus])
    filters = series.get(primary.metric)
    if filters is None:
        raise UserError(
            f"benchmark {primary.benchmark!r} has no {primary.metric}",
            key="analysis.primary.metric",
            allowed=series,
            fix="There is exact_match where something is generated (max_new_tokens), acc where choices are weighed "
            "(kind: choice)",
        )
    if primary.filter is None and len(filters) > 1:
        raise UserError(
            f"benchmark {primary.benchmark!r} keeps {primary.metric} under several filters: {' and '.join(filters)}",
            key="analysis.primary",
            fix=f"Name one: primary: {{benchmark: {primary.benchmark}, metric: {primary.metric}, "
            f"filter: {filters[0]}}}",
        )
    if primary.filter is not None and primary.filter not in filters:
        raise UserError(
            f"benchmark {primary.benchmark!r} has no {primary.metric} under such a filter",
            key="analysis.primary.filter",
            found=primary.filter,
            allowed=filters,
        )


def check_analysis(a: Ablation) -> None:
    """Raises:
    UserError: the declared comparisons cannot be made.
    """
    if "macro average" in a.evaluation.benchmarks:
        raise UserError(
            "no benchmark may be called so: it is the mean over benchmarks", key="evaluation.benchmarks.macro average"
        )
    if "interaction" in a.arms:
        raise UserError("no arm may be called so: it is the name of a test", key="arms.interaction")
    known(a.analysis.baseline, a.arms, "arm", "analysis.baseline")
    for i, name in enumerate(a.analysis.family):
        known(name, [*a.arms, "interaction"], "arm", f"analysis.family.{i}")
        if name == a.analysis.baseline:
            raise UserError(
                f"arm {name!r} is the baseline and cannot be compared with itself", key=f"analysis.family.{i}"
            )
    if "interaction" in a.analysis.family:
        _factorial(a)
    known(a.analysis.primary.benchmark, a.evaluation.benchmarks, "benchmark", "analysis.primary.benchmark")
    _check_primary(a)
    if len(a.seeds) < 2:
        raise UserError(
            f"a paired test over seeds wants at least 2 of them, and there is {len(a.seeds)}",
            key="seeds",
            fix="Add seeds (80 % power for one paired test takes about 10 / 6 / 5 seeds at an effect of 1 / 1.5 / 2 "
            "standard deviations of the paired difference)",
        )


def _factorial(a: Ablation) -> None:
    """An interaction is that of a 2 x 2: {shuffled, easy_to_hard} x {strongest, weak_to_strong}."""
    corners = {(arm.order.name, arm.teachers.name) for arm in a.arms.values() if not arm.differs}
    for order in ("shuffled", "easy_to_hard"):
        for teachers in ("strongest", "weak_to_strong"):
            if (order, teachers) not in corners:
                raise UserError(
                    f"the interaction wants an arm with order {order} and teachers {teachers} (without `differs:`), "
                    "and there is none",
                    key=f"analysis.family.{a.analysis.family.index('interaction')}",
                    fix="Add the arm, or take the interaction out of the family",
                )
