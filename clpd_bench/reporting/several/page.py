"""report.html of several files: the tables, and links to each file's own page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from clpd_bench.reporting.figures.draw import Drawn
from clpd_bench.reporting.several.groups import Group
from clpd_bench.reporting.several.table import Table
from clpd_bench.reporting.several.words import MISSING, caption, columns_explained, marks, published, score

_FOLDER = Path(__file__).parents[1] / "page"


def several_page(
    title: str, tables: Sequence[Table], groups: Sequence[Group], figures: Sequence[Drawn], missing: Sequence[str]
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
