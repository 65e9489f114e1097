"""A report of several ablations: each one's own, and above them one table and the figures that need several."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jinja2
import pandas as pd
from markupsafe import Markup

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.series import REFERENCE
from clpd_bench.report.beside import Beside
from clpd_bench.report.figures import capacity_gap
from clpd_bench.report.figures.draw import Drawn, saved
from clpd_bench.report.figures.style import styled
from clpd_bench.report.rows import primary_name, split
from clpd_bench.report.several.groups import Group, OneFile, write_groups
from clpd_bench.report.several.latex import several_latex
from clpd_bench.report.several.markdown import (
    MISSING,
    caption,
    columns_explained,
    marks,
    published,
    score,
    several_markdown,
)
from clpd_bench.report.several.table import Line, Score, SeriesColumn, SeveralTable, is_primary_column, table_of
from clpd_bench.report.write import write_files
from clpd_bench.results.capacity import Gap, gap_csv
from clpd_bench.store import Store

COLUMNS = [
    *("student", "ablation", "kind", "arm", "benchmark", "metric", "primary", "seeds", "mean", "sd", "best"),
    *("baseline", "difference", "low", "high", "p", "p_adjusted", "significant", "standing"),
    *Beside._fields,
]
"""`ablation` with the point of its grid, where it has several; `low` and `high` the difference's unadjusted 95%
interval; `p_adjusted` within the file's family, and empty outside it."""


def several_csv(tables: list[SeveralTable]) -> str:
    """Empty fields are what a row does not have; a cell that is missing has no row."""
    rows = [
        _row(column, kind, line, cell)
        for table in tables
        for kind, lines in (("arm", table.arms), (REFERENCE, table.references))
        for line in lines
        for column, cell in zip(table.columns, line.cells, strict=True)
        if cell is not None
    ]
    return pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False, lineterminator="\n")


def _row(column: SeriesColumn, kind: str, line: Line, cell: Score) -> dict[str, object]:
    test = cell.test._asdict() if cell.test is not None else {}
    tested = {name: test[name] for name in COLUMNS if name in Comparison._fields and name in test}
    published = cell.published._asdict() if cell.published is not None else {}
    return {
        **tested,
        **published,
        "student": column.group.student,
        "ablation": column.group.part,
        "kind": kind,
        "arm": line.name,
        "benchmark": column.series.benchmark,
        "metric": column.series.name,
        "primary": is_primary_column(column),
        "seeds": cell.seeds,
        "mean": cell.mean,
        "sd": cell.sd,
        "best": cell.best,
        "significant": cell.significant,
        "standing": cell.standing,
    }


_FOLDER = Path(__file__).parents[1] / "page"


def several_page(
    title: str,
    tables: Sequence[SeveralTable],
    groups: Sequence[Group],
    figures: Sequence[Drawn],
    missing: Sequence[str],
) -> str:
    """The page, autoescaped.

    Args:
        tables: of the primary results, and of the others.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.globals |= {"score": score, "marks": marks, "published": published, "missing_cell": MISSING}
    primary, secondary = tables
    return environment.get_template("several.html").render(
        css=Markup((_FOLDER / "report.css").read_text(encoding="utf-8")),
        title=title,
        primary=primary,
        secondary=secondary,
        explanations=[*caption(primary), *columns_explained(primary)],
        secondary_explanations=columns_explained(secondary),
        figures=figures,
        missing=missing,
        links=[(f"{quote(group.folder)}/report.html", group) for group in groups],
    )


_OPTIONAL = ("secondary.md", "secondary.tex", "capacity_gap.csv", "capacity_gap.pdf", "capacity_gap.png")


@dataclass(frozen=True)
class SeveralReport:
    """Attributes:
    files: table.md first; the page report.html last.
    secondary: None where there is nothing but primary results.
    """

    files: list[Path]
    page: Path
    secondary: Path | None
    groups: list[Group]


def write_several(files: Sequence[OneFile], store: Store, out: Path) -> SeveralReport:
    """From the store alone: two reports of one store are equal byte for byte.

    Raises:
        UserError: see `write_groups`.
    """
    groups = write_groups(files, store, out)
    title = " + ".join(one.plan.name for one in files)
    missing = [sentence for group in groups for sentence in _missing(group)]
    primary, secondary = table_of(groups, secondary=False), table_of(groups, secondary=True)
    texts = {
        "table.md": several_markdown(primary, title, missing, secondary=False),
        "table.tex": several_latex(primary, title),
        "table.csv": several_csv([primary, secondary]),
    }
    if secondary.columns:
        texts["secondary.md"] = several_markdown(secondary, title, missing, secondary=True)
        texts["secondary.tex"] = several_latex(secondary, f"{title}, secondary results")
    gaps = {group.part: group.report.gap for group in groups if group.report.gap is not None}
    contents = {name: text.encode() for name, text in texts.items()}
    drawn = []
    if gaps:
        drawing, pictures = _gap_files(gaps)
        drawn, contents = [drawing], {**contents, **pictures}
    page = several_page(title, [primary, secondary], groups, drawn, missing)
    written = write_files({**contents, "report.html": page.encode()}, out, stale=_OPTIONAL)
    by_name = {file.name: file for file in written}
    return SeveralReport(written, by_name["report.html"], by_name.get("secondary.md"), groups)


def _missing(group: Group) -> list[str]:
    """A sentence for each gap of a group."""
    rows, context = group.report.rows, group.report.context
    absent = (
        []
        if split(rows, context)[0].series
        else [f"There are no outcomes on the primary result, {primary_name(context)}."]
    )
    not_shown = [f"Not shown: {sentence}" for sentence in rows.not_shown]
    return [f"{group.part}: {sentence}" for sentence in [*absent, *rows.missing, *not_shown]]


def _gap_files(gaps: dict[str, Gap]) -> tuple[Drawn, dict[str, bytes]]:
    """The capacity-gap curves of all files that have one, a panel each."""
    with styled():
        svg, pdf, png = saved(capacity_gap.capacity_gap(gaps))
    uri = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
    drawn = Drawn("capacity_gap", capacity_gap.TITLE, capacity_gap.CAPTION, uri)
    return drawn, {
        "capacity_gap.pdf": pdf,
        "capacity_gap.png": png,
        "capacity_gap.csv": gap_csv(gaps).encode(),
    }
