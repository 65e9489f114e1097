"""A report of several ablations: each one's own, and above them one table and the figures that need several."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from clpd_bench.report import rows
from clpd_bench.report.beside import Beside
from clpd_bench.report.explanations import SECONDARY
from clpd_bench.report.figures import capacity_gap
from clpd_bench.report.figures.draw import Drawn, saved
from clpd_bench.report.figures.style import styled
from clpd_bench.report.markdown import bullets
from clpd_bench.report.page.render import environment
from clpd_bench.report.report import write_report
from clpd_bench.report.several.entries import TESTED, Entry, entries, frame
from clpd_bench.report.several.groups import Group, OneFile, check_files, students
from clpd_bench.report.several.points import write_reports
from clpd_bench.report.several.table import caption, columns_explained, split, table_of
from clpd_bench.report.write import write_files
from clpd_bench.results.capacity import Gap, gap_csv
from clpd_bench.store import Store
from clpd_bench.tables.html import html
from clpd_bench.tables.latex import latex
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.table import Table

COLUMNS = [
    *("student", "ablation", "kind", "arm", "benchmark", "metric", "primary", "seeds", "mean", "sd", "best"),
    *(*TESTED, "significant", "standing", *Beside._fields),
]
"""Of table.csv; `ablation` with the point of its grid, where it has several."""


def write_groups(files: Sequence[OneFile], store: Store, out: Path) -> list[Group]:
    """Each file's complete report in the folder of its name below `out`, and what there is of each in the table:
    the groups of one student stand together, in the order of the files.

    Raises:
        UserError: see `check_files`, `write_report`, `write_reports`.
    """
    check_files(files)
    found: list[Group] = []
    for file in files:
        name = file.plan.name
        if any(one.point.coordinates for one in file.points):
            points = write_reports(file.points, store, out / name, file.published).groups
            found += [replace(one, folder=f"{name}/{one.folder}") for one in points]
        else:
            (one,) = file.points
            found.append(
                Group("", name, one, write_report(one.point.ablation, one.plan, store, out / name, file.published))
            )
    names = students([one.point for one in found])
    heads = list(dict.fromkeys(names))
    groups = [replace(one, student=name) for one, name in zip(found, names, strict=True)]
    return sorted(groups, key=lambda group: heads.index(group.student))


def _markdown(title: str, table: Table, found: Sequence[Entry], missing: Sequence[str], *, secondary: bool) -> str:
    """The text of table.md or secondary.md."""
    plain = [sentence.replace("*", "\\*") for sentence in [*caption(found), *columns_explained(found)]]
    blocks = [f"# {title}: secondary results", SECONDARY] if secondary else [f"# {title}"]
    blocks.append(markdown(table) if found else "There are no outcomes on any primary result.")
    blocks += ["## How to read this", bullets(plain)]
    blocks += ["## Missing", bullets(missing) if missing else "No cell is missing."]
    return "\n\n".join(blocks) + "\n"


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
    primary, secondary = split(entries(groups))
    tables = [
        table_of(found, " ".join([f"{name}.", *caption(found)]))
        for name, found in ((title, primary), (f"{title}, secondary results", secondary))
    ]
    texts = {
        "table.md": _markdown(title, tables[0], primary, missing, secondary=False),
        "table.tex": latex(tables[0], fit=True),
        "table.csv": frame([*primary, *secondary])[COLUMNS].to_csv(index=False, lineterminator="\n"),
    }
    if secondary:
        texts["secondary.md"] = _markdown(title, tables[1], secondary, missing, secondary=True)
        texts["secondary.tex"] = latex(tables[1], fit=True)
    gaps = {group.part: group.report.gap for group in groups if group.report.gap is not None}
    contents = {name: text.encode() for name, text in texts.items()}
    drawn = []
    if gaps:
        drawing, pictures = _gap_files(gaps)
        drawn, contents = [drawing], {**contents, **pictures}
    page = (
        environment()
        .get_template("several.html")
        .render(
            title=title,
            html=html,
            primary=tables[0] if primary else None,
            secondary=tables[1] if secondary else None,
            explanations=[*caption(primary), *columns_explained(primary)],
            secondary_explanations=columns_explained(secondary),
            figures=drawn,
            missing=missing,
            links=[(f"{quote(group.folder)}/report.html", group) for group in groups],
        )
    )
    written = write_files({**contents, "report.html": page.encode()}, out, stale=_OPTIONAL)
    by_name = {file.name: file for file in written}
    return SeveralReport(written, by_name["report.html"], by_name.get("secondary.md"), groups)


def _missing(group: Group) -> list[str]:
    """A sentence for each gap of a group."""
    mine, context = group.report.rows, group.report.context
    primary, _ = rows.split(mine, context)
    absent = f"There are no outcomes on the primary result, {rows.primary_name(context)}."
    not_shown = [f"Not shown: {sentence}" for sentence in mine.not_shown]
    gaps = [*([] if primary.series else [absent]), *mine.missing, *not_shown]
    return [f"{group.part}: {sentence}" for sentence in gaps]


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
