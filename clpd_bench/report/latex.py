"""table.tex and secondary.tex: the tables for a paper."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import Series
from clpd_bench.analysis.summary import Summary
from clpd_bench.report.cells import about
from clpd_bench.report.context import ReportContext
from clpd_bench.report.rows import Row, Rows, is_tested
from clpd_bench.report.verdict import CORRECTED
from clpd_bench.results.beside import Beside, difference_text, published_text
from clpd_bench.tables.rounding import UNITS, difference, mean_and_sd, p_value

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "`": r"\textasciigrave{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "[": "{[}",  # behind a line break it would be an argument, and so would a star
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
}


def escaped(text: str) -> str:
    """Text as LaTeX prints it, on one line. Letters beyond Latin are the document's own affair."""
    one_line = re.sub(r"\s+", " ", text)
    return re.sub(r"--+", lambda dashes: "{-}" * len(dashes[0]), "".join(_SPECIAL.get(c, c) for c in one_line))


PUBLISHED_COLUMNS = " & published & ours $-$ published & compatible"
PUBLISHED = (
    " Published: as its source has it. Compatible with ours by Welch's t over seeds where a spread was published, else "
    "by the prediction interval of ours over seeds or, for one model, by its interval over items; -- where neither can "
    "be had."
)


class Numbers(NamedTuple):
    """The columns behind a name."""

    score: str = ""
    difference: str = ""
    interval: str = ""
    p: str = ""


def table_latex(rows: Rows, context: ReportContext) -> str:
    """The text: a block a series, so that it fits a page whatever their number."""
    published = any(rows.has_published(i) for i in range(len(rows.series)))
    width = max(len(escaped(row.name)) for row in [*rows.arms, *rows.references])

    def beside(row: Row, place: int) -> list[str]:
        return _published(row.published[place], rows.series[place]) if published else []

    lines = [
        r"% Needs \usepackage{booktabs} and nothing else.",
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{_caption(rows, context)}{escaped(PUBLISHED) if published else ''}}}",
        *([r"\small\setlength{\tabcolsep}{3pt}"] if published else []),
        rf"\begin{{tabular}}{{l@{{\hspace{{1.2em}}}}rrlr{'rrl' if published else ''}}}",
        r"\toprule",
        rf" & score & difference & 95\% interval & $p${PUBLISHED_COLUMNS if published else ''} \\",
    ]
    for i, (one, items) in enumerate(zip(rows.series, rows.items, strict=True)):
        title = escaped(f"{one} ({about(one, items)})")
        lines += [r"\midrule", rf"\multicolumn{{{8 if published else 5}}}{{l}}{{\textit{{{title}}}}} \\"]
        for row in rows.compared:
            lines.append(_line(row.name, [*_numbers(row, i, one, context), *beside(row, i)], width))
        references = rows.references_on(i)
        if references:
            lines.append(r"\addlinespace")
        for row in references:
            lines.append(_line(row.name, [*Numbers(_score(row.means[i], one)), *beside(row, i)], width))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _caption(rows: Rows, context: ReportContext) -> str:
    declaration = context.declaration
    return escaped(
        f"{context.title}. Score: mean ± standard deviation over seeds (at most {rows.seeds}). Difference to "
        f"{declaration.baseline}, paired by seed, with its unadjusted 95% interval and p "
        f"{CORRECTED[declaration.correction]} over {len(declaration.family)} declared comparisons, on "
        f"{declaration.generalise_to}. Primary: {declaration.primary_benchmark} {declaration.primary_metric}. A dagger "
        "marks exploratory comparisons; the others were declared before any look at them. "
        f"{_beside(rows, context)}{_divergences(context)}{' '.join([*context.warnings, ''])}"
        "Below each block, models that no arm trained."
    )


def _beside(rows: Rows, context: ReportContext) -> str:
    """What belongs beside p, with those that have it."""
    found: dict[str, dict[str, None]] = {}
    for row in rows.compared:
        for test in row.tests:
            if test is not None and (beside := context.standings.of(test).beside):
                found.setdefault(beside, {})[row.name] = None
    return "".join(f"{beside}: {', '.join(names)}. " for beside, names in found.items())


def _divergences(context: ReportContext) -> str:
    counts = {arm: sum(one.arm == arm for one in context.diverged) for arm in context.arms}
    listed = ", ".join(f"{count} of {arm}" for arm, count in counts.items() if count)
    told = [f"Students that diverged: {listed}."] if listed else []
    return "".join(f"{sentence} " for sentence in [*told, *(f"{arm}: {why}." for arm, why in context.biased.items())])


def _line(name: str, cells: Sequence[str], width: int) -> str:
    return rf"{escaped(name):<{width}} & {' & '.join(cells)} \\"


def _score(mean: Summary | None, series: Series) -> str:
    return "--" if mean is None else _number(mean_and_sd(mean.mean, mean.sd, UNITS[series.metric]))


def _numbers(row: Row, place: int, series: Series, context: ReportContext) -> Numbers:
    test = row.tests[place]
    score = "" if test is not None and not test.baseline else _score(row.means[place], series)
    if test is None:
        return Numbers(score)
    if math.isnan(test.difference):
        return Numbers(score, "--", escaped(f"no test: {test.method}"))
    return Numbers(score, *_contrast(test, series, context))


def _contrast(test: Comparison, series: Series, context: ReportContext) -> tuple[str, str, str]:
    shown = difference(test.difference, test.low, test.high, UNITS[series.metric])
    mark = r"^{\dagger}" if context.standings.of(test).word == "exploratory" else ""
    p = p_value(test.p_adjusted).removeprefix("p ").removeprefix("= ") if is_tested(test) else ""
    return f"${shown.difference}{mark}$", f"$[{shown.low},\\ {shown.high}]$", f"${p}$" if p else ""


def _published(one: Beside | None, series: Series) -> list[str]:
    if one is None:
        return ["", "", ""]
    unit = UNITS[series.metric]
    word = {"compatible": "yes", "not compatible": "no", "not testable": "--"}[one.compatible]
    return [_number(published_text(one, unit)), f"${difference_text(one, unit)}$", word]


def _number(text: str) -> str:
    return f"${text}$".replace(" ± ", r" \pm ")
