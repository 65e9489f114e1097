"""table.md: the result for a person to read."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clpd_bench.analysis.declaration import INTERACTION
from clpd_bench.analysis.metrics import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.reporting.cells import arm_cell, contrast_cell, header, reference_cell
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.verdict import comparison_rows, verdict

Means = dict[tuple[str, str, str, str], Summary]
"""By kind, arm, benchmark and metric."""


def table_markdown(
    summary: pd.DataFrame, comparisons: pd.DataFrame, series: list[Series], context: ReportContext
) -> str:
    """The text of table.md.

    Args:
        summary, comparisons: of the functions `summary` and `compare`.
        series: of `metric_series`, the columns.
        context: names, order and sentences.
    """
    rows = [Summary(*row) for row in summary.itertuples(index=False)]
    means = {(row.kind, row.arm, row.benchmark, row.metric): row for row in rows}
    tests = {(row.arm, row.benchmark, row.metric): row for row in comparison_rows(comparisons)}
    seeds = max((row.seeds for row in rows), default=0)
    items = {(row.benchmark, row.metric): row.items for row in rows}
    reference_names = _ordered(context.references, "reference", means)
    arm_names = _ordered(context.arms, "arm", means)

    references = [
        [name, *(reference_cell(means.get(("reference", name, one.benchmark, one.name)), one) for one in series)]
        for name in reference_names
    ]
    arms = [
        [
            name,
            *(
                arm_cell(
                    means.get(("arm", name, one.benchmark, one.name)),
                    tests.get((name, one.benchmark, one.name)),
                    one,
                    seeds,
                )
                for one in series
            ),
        ]
        for name in arm_names
    ]
    if context.factorial is not None:
        contrasts = [tests[INTERACTION, one.benchmark, one.name] for one in series]
        cells = [contrast_cell(test, one, seeds) for test, one in zip(contrasts, series, strict=True)]
        arms.append([INTERACTION, *cells])
    missing = [
        *context.missing,
        *_gaps(reference_names, "reference", means, series, 1),
        *_gaps(arm_names, "arm", means, series, seeds),
    ]

    headers = [header(one, items[one.benchmark, one.name]) for one in series]
    primary = f"{context.declaration.primary_benchmark} {context.declaration.primary_metric}"
    blocks = [
        f"# {context.title}",
        context.question,
        f"## Primary result: {primary}",
        _bullets(verdict(comparisons, series, context.declaration)),
        "## References",
        "Models that no arm trained, on the same items; no p-values.",
        _table(["reference", *headers], references),
        "## Arms",
        _table(["arm", *headers], arms),
        "## How to read this",
        _bullets(_explanations(context, primary, seeds) + context.notes),
        "## Missing",
        _bullets(missing) if missing else "No cell is missing.",
    ]
    return "\n\n".join(blocks) + "\n"


def _ordered(declared: list[str], kind: str, means: Means) -> list[str]:
    """The declared names, then whatever else has outcomes: nothing is left out in silence."""
    others = {arm for its_kind, arm, *_ in means if its_kind == kind} - set(declared)
    return declared + sorted(others)


def _gaps(names: list[str], kind: str, means: Means, series: list[Series], seeds: int) -> list[str]:
    """A sentence for each name that has no outcomes on a series, or at fewer than `seeds` seeds."""
    sentences = []
    for name in names:
        for one in series:
            mean = means.get((kind, name, one.benchmark, one.name))
            if mean is None:
                sentences.append(f"{name} has no outcomes on {one}.")
            elif mean.seeds < seeds:
                sentences.append(f"{name} has {mean.seeds} of {seeds} seeds on {one}.")
    return sentences


def _explanations(context: ReportContext, primary: str, seeds: int) -> list[str]:
    declaration, factorial = context.declaration, context.factorial
    family = ", ".join(declaration.family) or "nothing was declared"
    sentences = [
        f"Baseline: {declaration.baseline}. Family: {family}. Correction: Holm within the family, "
        f"separately for each benchmark and metric, at alpha = {declaration.alpha:g}.",
        f"The primary result is {primary}; everything else is secondary.",
        f"A cell: mean ± standard deviation over seeds ({seeds} unless it says otherwise) of the "
        "mean over items; then the difference to the baseline, arm - baseline, with its 95% interval, "
        "then p after Holm where the arm is in the family. A reference is one model and has no "
        "standard deviation.",
        "The test is a seed-paired t on these items: it claims nothing about other items.",
        "The 95% intervals are unadjusted: Holm corrects the p-values only.",
    ]
    if factorial is not None:
        sentences.append(
            f"The interaction is {factorial.clpd} - {factorial.data_ordering} - "
            f"{factorial.teacher_scheduling} + {factorial.standard}, on the scale of the metric "
            "itself (for accuracy: probabilities, not log-odds)."
        )
    return sentences


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [[cell.replace("|", "\\|") for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
