"""report.html from what a report knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from clpd_bench.analysis.ladder import Scored
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
from clpd_bench.report.figures.draw import TUNING, Figures
from clpd_bench.report.figures.style import arm_styles
from clpd_bench.report.page import sentences, tables
from clpd_bench.report.rows import Rows, primary_name, split
from clpd_bench.report.verdict import NOT_EQUAL, headline, some_not_significant, verdict
from clpd_bench.results.contrasts import Contrasts
from clpd_bench.results.curves import StudentsTraining
from clpd_bench.results.provenance import Provenance
from clpd_bench.results.schedules import ArmSchedule
from clpd_bench.results.spent import Cost
from clpd_bench.tables.html import html
from clpd_bench.tables.table import Table

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


def environment() -> jinja2.Environment:
    """Of the page's templates. Autoescape is on: names and questions are whatever a user typed."""
    out = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    out.globals["css"] = Markup((_FOLDER / "report.css").read_text(encoding="utf-8"))
    return out


def render(data: PageData) -> str:
    """The page."""
    context, rows, declaration = data.context, data.rows, data.context.declaration
    primary, secondary = split(rows, context)
    tests = all_tests(primary)
    figures = data.figures.drawn
    colors = {name: style.color for name, style in arm_styles(row.name for row in rows.arms).items()}

    def shown(table: Table, id: str = "") -> Markup:
        return html(table, colors, id)

    return (
        environment()
        .get_template("report.html")
        .render(
            html=shown,
            tables=tables,
            title=context.title,
            question=context.question,
            warnings=context.warnings,
            headline=headline(data.comparisons, rows.series, declaration),
            caution=NOT_EQUAL if some_not_significant(data.comparisons, declaration) else "",
            verdict=verdict(
                data.comparisons, rows.series, declaration, context.standings, context.clauses, context.biased
            ),
            standing=standings_explained([test for test in tests if test.arm in declaration.family], context),
            primary_name=primary_name(context),
            primary=series_tables(primary, context, secondary=False),
            secondary=series_tables(secondary, context, secondary=True),
            secondary_about=SECONDARY,
            secondary_standing=standings_explained(all_tests(secondary), context),
            tests_explained=tests_explained(declaration),
            baseline=declaration.baseline,
            explanations=[*explanations(context), *standings_explained(tests, context)],
            ladder=tables.ladder(data.ladders),
            published=published_explained(rows, context),
            figures=[one for one in figures if not one.name.startswith(SECONDARY_FIGURE) and one.name != TUNING],
            secondary_figures=[one for one in figures if one.name.startswith(SECONDARY_FIGURE)],
            tuning_figures=[one for one in figures if one.name == TUNING],
            figures_absent=data.figures.absent,
            cost=data.cost,
            cost_sentence=sentences.cost(data.cost),
            cost_notes=sentences.cost_notes(data.cost),
            contrasts=data.contrasts,
            schedules=data.schedules,
            buckets=max((len(one.bucket_numbers) for one in data.schedules.values()), default=0),
            exposure_notes=[*sentences.consumed(data.trained), *data.schedules_absent],
            tuned=data.tuned,
            provenance=data.provenance,
            dates=sentences.dates(data.provenance),
            commands=sentences.commands(data.provenance, data.file),
            rerun_note=sentences.rerun_note(data.provenance),
            settings=data.settings,
            missing=[*rows.missing, *data.figures.absent, *data.schedules_absent, *data.trained.absent],
            notes=context.notes,
        )
    )
