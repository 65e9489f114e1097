"""Whether the primary result is one that the evaluation will have."""

from __future__ import annotations

from clpd_bench.errors import UserError
from clpd_bench.settings.ablation import Ablation


def check_primary(a: Ablation) -> None:
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
