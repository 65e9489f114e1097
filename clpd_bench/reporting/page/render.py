"""report.html from what a report knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from clpd_bench.analysis.ladder import Scored
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.contrasts import Contrasts, value_text
from clpd_bench.reporting.cost import Cost
from clpd_bench.reporting.curves import Trained
from clpd_bench.reporting.explanations import (
    SECONDARY,
    all_tests,
    explanations,
    published_explained,
    standings_explained,
    tests_explained,
)
from clpd_bench.reporting.figures.draw import SECONDARY as SECONDARY_FIGURE
from clpd_bench.reporting.figures.draw import TUNING, Figures
from clpd_bench.reporting.figures.style import looks
from clpd_bench.reporting.page import sentences
from clpd_bench.reporting.page.exposure import exposure_rows
from clpd_bench.reporting.page.ladder import ladder_table
from clpd_bench.reporting.page.tuning import tuning_section
from clpd_bench.reporting.provenance import Provenance
from clpd_bench.reporting.quantities import count, duration, power_of_ten
from clpd_bench.reporting.rows import Rows, primary_name, split
from clpd_bench.reporting.schedules import ArmSchedule
from clpd_bench.reporting.series_table import series_tables
from clpd_bench.reporting.verdict import NOT_EQUAL, headline, some_not_significant, verdict
from clpd_bench.settings.tuned import TunedPoint

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
    trained: Trained
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
        colors={name: look.color for name, look in looks(row.name for row in rows.arms).items()},
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
