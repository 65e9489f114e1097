"""The teachers' scores on validation items, as the page shows them.

An arm's exposure as rows of a table.

The page's section on tuning.

report.html from what a report knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from clpd_bench.analysis.ladder import Scored
from clpd_bench.analysis.series import METRICS
from clpd_bench.grid.tuned import TunedPoint
from clpd_bench.report.cells import series_tables
from clpd_bench.report.context import ReportContext
from clpd_bench.report.explanations import (
    SECONDARY,
    all_tests,
    explanations,
    published_explained,
    standings_explained,
    tests_explained,
)
from clpd_bench.report.figures.draw import SECONDARY as SECONDARY_FIGURE
from clpd_bench.report.figures.draw import TUNING, Drawn, Figures
from clpd_bench.report.figures.style import arm_styles
from clpd_bench.report.page import sentences
from clpd_bench.report.rows import Rows, primary_name, split
from clpd_bench.report.tuning.tables import ChosenRow, chosen_rows, score_title
from clpd_bench.report.verdict import NOT_EQUAL, headline, some_not_significant, verdict
from clpd_bench.results.contrasts import Contrasts, value_text
from clpd_bench.results.curves import StudentsTraining
from clpd_bench.results.provenance import Provenance
from clpd_bench.results.schedules import NO_TEACHER, ArmSchedule
from clpd_bench.results.spent import Cost
from clpd_bench.tables.rounding import UNITS, count, duration, mean_and_sd, power_of_ten, share


@dataclass(frozen=True)
class LadderTable:
    """Attributes:
    about: which score it is.
    rows: teacher and score, in the file's order.
    """

    about: str
    rows: list[tuple[str, str]]


def ladder_table(ladders: Sequence[Scored]) -> LadderTable | None:
    """Of a report's one ladder; None where there is none, or none of its teachers is evaluated."""
    for one in ladders:
        if one.scores:
            metric, unit = one.ladder.metric, UNITS[one.ladder.metric]
            about = f"{one.ladder.corpus} {metric}, {unit.mean}, {METRICS[metric]} is better"
            return LadderTable(
                about, [(name, mean_and_sd(score, float("nan"), unit)) for name, score in one.scores.items()]
            )
    return None


@dataclass(frozen=True)
class StageRow:
    """What a stage showed under a teacher, by bucket from the easiest."""

    stage: int
    teacher: str
    presentations: list[int]
    response_tokens: list[int]


@dataclass(frozen=True)
class ExposureRows:
    """An arm's stages, and their sums."""

    arm: str
    steps: int
    tokens: int
    rows: list[StageRow]
    presentations: list[int]
    response_tokens: list[int]
    by_stage: str
    by_teacher: str


def exposure_rows(arm: str, one: ArmSchedule) -> ExposureRows:
    shown, buckets = one.exposure, one.bucket_numbers
    rows = [
        StageRow(
            stage,
            one.teachers.get(teacher, NO_TEACHER),
            [shown.presentations.get((bucket, stage, teacher), 0) for bucket in buckets],
            [shown.response_tokens.get((bucket, stage, teacher), 0) for bucket in buckets],
        )
        for stage, teacher in sorted({(k, t) for _, k, t in shown.presentations})
    ]
    return ExposureRows(
        arm,
        shown.steps,
        shown.tokens,
        rows,
        [sum(row.presentations[bucket - 1] for row in rows) for bucket in buckets],
        [sum(row.response_tokens[bucket - 1] for row in rows) for bucket in buckets],
        " / ".join(share(value) for _, value in sorted(shown.learning_rate_by_stage.items())),
        ", ".join(
            f"{one.teachers.get(number, NO_TEACHER)} {share(value)}"
            for number, value in sorted(shown.learning_rate_by_teacher.items())
        ),
    )


@dataclass(frozen=True)
class TuningSection:
    """Attributes:
    trials: what the columns of scores are called by.
    figures: one, or none where several settings were tuned at once.
    """

    score: str
    trials: list[str]
    rows: list[ChosenRow]
    figures: list[Drawn]


def tuning_section(tuned: TunedPoint | None, figures: Iterable[Drawn]) -> TuningSection | None:
    """None where nothing was tuned."""
    if tuned is None:
        return None
    rows = chosen_rows(tuned)
    names = [name for name, _ in rows[0].trials]
    return TuningSection(score_title(tuned.tune), names, rows, [one for one in figures if one.name == TUNING])


_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PageData:
    """All that stands on the page.

    Attributes:
        settings: the ablation as YAML.
        file: what the commands name.
    """

    context: ReportContext
    rows: Rows
    comparisons: pd.DataFrame
    figures: Figures
    cost: Cost
    contrasts: Contrasts
    schedules: dict[str, ArmSchedule]
    schedules_absent: list[str]
    trained: StudentsTraining
    ladders: list[Scored]
    tuned: TunedPoint | None
    provenance: Provenance
    settings: str
    file: str


def render(data: PageData) -> str:
    """The page. Autoescape is on: names and questions are whatever a user typed."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "duration": duration,
        "count": count,
        "power_of_ten": power_of_ten,
        "value_text": value_text,
        "some": _some,
    }
    context, rows, declaration = data.context, data.rows, data.context.declaration
    primary, secondary = split(rows, context)
    tests = all_tests(primary)
    figures = data.figures.drawn
    return environment.get_template("report.html").render(
        css=Markup((_FOLDER / "report.css").read_text(encoding="utf-8")),
        title=context.title,
        question=context.question,
        warnings=context.warnings,
        headline=headline(data.comparisons, rows.series, declaration),
        caution=NOT_EQUAL if some_not_significant(data.comparisons, declaration) else "",
        verdict=verdict(data.comparisons, rows.series, declaration, context.standings, context.clauses, context.biased),
        standing=standings_explained([test for test in tests if test.arm in declaration.family], context),
        primary_name=primary_name(context),
        primary=series_tables(primary, context, secondary=False),
        secondary=series_tables(secondary, context, secondary=True),
        secondary_about=SECONDARY,
        secondary_standing=standings_explained(all_tests(secondary), context),
        tests_explained=tests_explained(declaration),
        baseline=declaration.baseline,
        colors={name: style.color for name, style in arm_styles(row.name for row in rows.arms).items()},
        explanations=[*explanations(context), *standings_explained(tests, context)],
        ladder=ladder_table(data.ladders),
        published=published_explained(rows, context),
        figures=[one for one in figures if not one.name.startswith(SECONDARY_FIGURE) and one.name != TUNING],
        secondary_figures=[one for one in figures if one.name.startswith(SECONDARY_FIGURE)],
        figures_absent=data.figures.absent,
        cost=data.cost,
        cost_sentence=sentences.cost(data.cost),
        cost_notes=sentences.cost_notes(data.cost),
        contrasts=data.contrasts,
        buckets=max((len(one.bucket_numbers) for one in data.schedules.values()), default=0),
        exposures=[exposure_rows(arm, one) for arm, one in data.schedules.items()],
        exposure_notes=[*sentences.consumed(data.trained), *data.schedules_absent],
        tuning=tuning_section(data.tuned, data.figures.drawn),
        environment=data.provenance.environment,
        differing=data.provenance.differing,
        otherwise=data.provenance.otherwise,
        dates=sentences.dates(data.provenance),
        commands=sentences.commands(data.provenance, data.file),
        rerun_note=sentences.rerun_note(data.provenance),
        settings=data.settings,
        missing=[*rows.missing, *data.figures.absent, *data.schedules_absent, *data.trained.absent],
        notes=context.notes,
    )


def _some(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c and 4 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
