"""The files of a report: made in full, then put in their places."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.analysis.series import ITEM_COLUMNS, metric_series
from clpd_bench.analysis.summary import summary
from clpd_bench.report.beside import Beside
from clpd_bench.report.context import ReportContext
from clpd_bench.report.latex import table_latex
from clpd_bench.report.markdown import secondary_markdown, table_markdown
from clpd_bench.report.rows import Rows, split, table_rows
from clpd_bench.report.verdict import comparison_rows

_ARROW = {"str": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
_SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in ITEM_COLUMNS.items()])
_ORDER = ["benchmark", "metric", "filter", "arm", "seed", "item"]


def table_files(
    items: pd.DataFrame,
    comparisons: pd.DataFrame,
    context: ReportContext,
    dropped: frozenset[tuple[str, int]] = frozenset(),
) -> dict[str, bytes]:
    """The contents of table.md and table.tex (the primary result), secondary.md and secondary.tex (the
    others), and of table.csv, comparisons.csv and items.parquet (everything).

    table.csv (as `summary` returns it, and what was published beside it) and comparisons.csv (as `compare`
    returns it, and each one's standing) are in the metrics' own units: accuracy is a share of 1 there, and in
    percent in the others.
    items.parquet holds ITEM_COLUMNS in a fixed order of rows, so that equal outcomes give equal bytes.

    Args:
        dropped: (arm, seed) of students that only items.parquet is to hold.

    Raises:
        UserError: items that can't be summarised (see `outcomes`).
    """
    kept = without(items, dropped)
    means = summary(kept)
    rows = table_rows(means, comparisons, metric_series(kept), context)
    primary, secondary = split(rows, context)
    texts = {
        "table.md": table_markdown(comparisons, rows, context),
        "table.tex": table_latex(primary, context),
        "secondary.md": secondary_markdown(rows, context),
        "secondary.tex": table_latex(secondary, context),
        "table.csv": with_published(means, rows).to_csv(index=False, lineterminator="\n"),
        "comparisons.csv": with_standing(comparisons, context).to_csv(index=False, lineterminator="\n"),
    }
    if not secondary.series:
        texts = {name: text for name, text in texts.items() if not name.startswith("secondary")}
    return {**{name: text.encode() for name, text in texts.items()}, "items.parquet": _items_parquet(items)}


def without(items: pd.DataFrame, dropped: frozenset[tuple[str, int]]) -> pd.DataFrame:
    """The items less those of some (arm, seed)."""
    if not dropped:
        return items
    return items[[run not in dropped for run in zip(items["arm"], items["seed"], strict=True)]]


def with_standing(comparisons: pd.DataFrame, context: ReportContext) -> pd.DataFrame:
    """`compare`'s table with the columns `standing`, `beside` (see Standing) and `why`."""
    found = [context.standings.of(test) for test in comparison_rows(comparisons)]
    return comparisons.assign(
        standing=[one.word for one in found], beside=[one.beside for one in found], why=[one.why for one in found]
    )


def with_published(means: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """`summary`'s table with the fields of Beside; as it is where nothing was published."""
    found = {
        (row.name, one.benchmark, one.name): published
        for row in [*rows.references, *rows.arms]
        for one, published in zip(rows.series, row.published, strict=True)
        if published is not None
    }
    if not found:
        return means
    places = zip(means["arm"], means["benchmark"], means["metric"], strict=True)
    nothing = (None,) * len(Beside._fields)
    columns = pd.DataFrame([found.get(place, nothing) for place in places], columns=Beside._fields, index=means.index)
    return pd.concat([means, columns], axis=1)


def write_files(files: Mapping[str, bytes], out: Path, stale: Iterable[str] = ()) -> list[Path]:
    """Write files into `out`, each in full before the first takes its place: a failure leaves an older
    report as it was.

    Args:
        files: by relative name; folders are made.
        stale: names to remove if an older report left them there and this one does not have them.

    Returns:
        Their paths, in the order given.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".report-") as folder:
        staged = Path(folder)
        for name, content in files.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(content)
        for name in files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(out / name)
    for name in set(stale) - set(files):
        (out / name).unlink(missing_ok=True)
    return [out / name for name in files]


def _items_parquet(items: pd.DataFrame) -> bytes:
    """ITEM_COLUMNS in _ORDER, without pandas' metadata: that records the types rows came in."""
    rows = items[list(ITEM_COLUMNS)].sort_values(_ORDER, kind="stable")
    table = pa.Table.from_pandas(rows, schema=_SCHEMA, preserve_index=False)
    buffer = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None), buffer)
    return bytes(buffer.getvalue().to_pybytes())
