"""A table that knows no medium: columns under spans, and sections of rows of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Column:
    """A title, where its cells stand, and whether a terminal may break them."""

    title: str
    align: Literal["left", "center", "right"] = "left"
    wraps: bool = True


class Span(NamedTuple):
    """A head over several columns."""

    text: str
    columns: int


@dataclass(frozen=True)
class Cell:
    """Attributes:
    strong: whether it is bold.
    mark: what is raised behind the text, `*` and `†`.
    remark: what stands small below it.
    number: whether it is a number, an interval or both, which LaTeX sets as mathematics.
    """

    text: str
    strong: bool = False
    mark: str = ""
    remark: str = ""
    number: bool = False


Row = Sequence[Cell]


@dataclass(frozen=True)
class Section:
    """Rows that stand together.

    Attributes:
        head: what the first column is called, where that is not the table's own title of it.
        ruled: whether a line sets them apart from those above, and not only a space.
        soft: whether they are paler, in HTML.
    """

    rows: Sequence[Row]
    title: str = ""
    head: str = ""
    ruled: bool = True
    soft: bool = False


@dataclass(frozen=True)
class Table:
    """Attributes:
    spans: lines of heads above the columns' own; each covers all columns but the first.
    """

    columns: Sequence[Column]
    sections: Sequence[Section]
    spans: Sequence[Sequence[Span]] = ()
    caption: str = ""

    @property
    def rows(self) -> list[Row]:
        """Those of all sections."""
        return [row for section in self.sections for row in section.rows]


def table(columns: Iterable[str | Column], rows: Iterable[Iterable[str | Cell]]) -> Table:
    """A table of one section; text stands for a plain column or cell."""
    return Table([Column(one) if isinstance(one, str) else one for one in columns], [Section(rows_of(rows))])


def rows_of(rows: Iterable[Iterable[str | Cell]]) -> list[Row]:
    """Rows of cells; text stands for a plain one."""
    return [[Cell(one) if isinstance(one, str) else one for one in row] for row in rows]


def number_columns(first: str, *others: str, wraps: bool = True) -> list[Column]:
    """Names on the left, which are never broken, and numbers on the right."""
    return [Column(first, wraps=False), *(Column(one, "right", wraps) for one in others)]
