"""A report of several ablations: each one's own, and above them one table and the figures that need several."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clpd_bench.reporting.capacity import Gap, gap_csv
from clpd_bench.reporting.figures import capacity_gap
from clpd_bench.reporting.figures.draw import Drawn, saved
from clpd_bench.reporting.figures.style import styled
from clpd_bench.reporting.rows import primary_name, split
from clpd_bench.reporting.several.groups import Group, OneFile, write_groups
from clpd_bench.reporting.several.latex import several_latex
from clpd_bench.reporting.several.long import several_csv
from clpd_bench.reporting.several.markdown import several_markdown
from clpd_bench.reporting.several.page import several_page
from clpd_bench.reporting.several.table import table_of
from clpd_bench.reporting.write import write_files
from clpd_bench.store import Store

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
