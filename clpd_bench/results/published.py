"""Published numbers, `reports/reference/<ablation>.csv`: what a paper's table says, each with its source."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clpd_bench.errors import UserError
from clpd_bench.settings.parts.metrics import BINARY, METRICS

FOLDER = Path("reports/reference")
NEEDED = ("system", "benchmark", "metric", "value", "spread", "source")
OPTIONAL = ("seeds", "filter", "point")


@dataclass(frozen=True)
class Published:
    """One published score.

    Attributes:
        system, benchmark: as our tables name them.
        metric, filter: `exact_match` and `flexible`; the filter None where none was named.
        point: of a grid with axes, as its folder is named (`strength=0.6`); None for all points.
        value: in the unit that our tables show: percent for a metric of 0 and 1, else nats a token.
        spread: standard deviation over the published seeds, in the same unit; None where none was given.
        seeds: how many there were; None where that was not said.
        source: where it stands.
        file, line: where it was read.
    """

    system: str
    benchmark: str
    metric: str
    filter: str | None
    point: str | None
    value: float
    spread: float | None
    seeds: int | None
    source: str
    file: Path
    line: int

    def __str__(self) -> str:
        """`clpd on gsm8k exact_match (line 3)`."""
        return f"{self.system} on {self.benchmark} {self.title} (line {self.line})"

    @property
    def title(self) -> str:
        """`exact_match`, or `exact_match (flexible)` where a filter is named."""
        return self.metric if self.filter is None else f"{self.metric} ({self.filter})"


def asked_for(place: Path, name: str) -> list[Published]:
    """`read_published` from a place that somebody named, where there has to be something.

    Raises:
        UserError: there is no such file; see `read_published`.
    """
    file = _file(place, name)
    if not file.is_file():
        there = sorted(one.name for one in place.glob("*.csv")) if place.is_dir() else None
        raise UserError("there are no published numbers", file=file, found=file.name, allowed=there)
    return read_published(place, name)


def read_published(place: Path, name: str) -> list[Published]:
    """The published numbers of the ablation `name`, in the file's order; none where there is no file.

    Args:
        place: a folder of `<ablation>.csv`, or one such file.

    Raises:
        UserError: a column or a value is not as reports/reference/README.md says, or a number has no source.
    """
    file = _file(place, name)
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened, restkey="", strict=True)
            _check_header(rows.fieldnames or [], file)
            found = [_published(row, file, rows.line_num) for row in rows]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"is no table of comma-separated values: {error}", file=file) from None
    lines: dict[tuple[str | None, ...], int] = {}
    for one in found:
        first = lines.setdefault((one.system, one.benchmark, one.title, one.point), one.line)
        if first != one.line:
            what = f"{one.system} on {one.benchmark} {one.title} stands in line {first} already"
            raise UserError(what, file=file, line=one.line, fix="Keep one of the two")
    return found


def _file(place: Path, name: str) -> Path:
    return place if place.suffix == ".csv" and not place.is_dir() else place / f"{name}.csv"


def of_point(published: Sequence[Published], point: str) -> list[Published]:
    """Those of a point of the grid, and of those of all points the ones that it has none of its own for; of no point
    any more."""
    own = {(one.system, one.benchmark, one.title) for one in published if one.point == point}
    general = [one for one in published if one.point is None and (one.system, one.benchmark, one.title) not in own]
    return [replace(one, point=None) for one in published if one.point == point or one in general]


def _check_header(names: Sequence[str], file: Path) -> None:
    for name in names:
        if name not in (*NEEDED, *OPTIONAL):
            raise UserError("unknown column", file=file, line=1, found=name, allowed=(*NEEDED, *OPTIONAL))
        if names.count(name) > 1:
            raise UserError(f"the column {name} is there twice", file=file, line=1)
    if missing := [name for name in NEEDED if name not in names]:
        raise UserError(
            f"the column {missing[0]} is missing",
            file=file,
            line=1,
            fix=f"Begin the file with {','.join(NEEDED)}; {' and '.join(OPTIONAL)} may follow",
        )


def _published(row: Mapping[str, str | None], file: Path, line: int) -> Published:
    if "" in row or None in row.values():
        raise UserError("has another number of columns than the first line", file=file, line=line)
    cells = {name: (value or "").strip() for name, value in row.items()}
    for name in ("system", "benchmark", "metric", "source"):
        if not cells[name]:
            fix = "Cite where the number stands; one without a source is not shown" if name == "source" else None
            raise UserError("is empty", file=file, line=line, key=name, fix=fix)
    named = re.fullmatch(r"(\S+)\s+\((.+)\)", cells["metric"])
    metric, its_filter = (named[1], named[2]) if named else (cells["metric"], None)
    if metric not in METRICS:
        raise UserError("unknown metric", file=file, line=line, key="metric", found=metric, allowed=METRICS)
    if (asked := cells.get("filter") or None) and its_filter not in (None, asked):
        raise UserError(f"the metric says {its_filter}", file=file, line=line, key="filter", found=asked)
    value = _number(cells["value"], file, line, "value")
    if metric in BINARY and not 0 <= value <= 100:
        raise UserError(f"{metric} is in percent, from 0 to 100", file=file, line=line, key="value", found=value)
    spread = _number(cells["spread"], file, line, "spread") if cells["spread"] else None
    if spread is not None and spread < 0:
        raise UserError("a standard deviation is 0 or more", file=file, line=line, key="spread", found=spread)
    return Published(
        cells["system"],
        cells["benchmark"],
        metric,
        its_filter or asked,
        cells.get("point") or None,
        value,
        spread,
        _seeds(cells.get("seeds", ""), file, line),
        cells["source"],
        file,
        line,
    )


def _number(text: str, file: Path, line: int, key: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError("wants a number, such as 46.3", file=file, line=line, key=key, found=text)
    return value


def _seeds(text: str, file: Path, line: int) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UserError("wants a whole number from 1 on, or nothing", file=file, line=line, key="seeds", found=text)
    return int(text)
