"""The files of a report's tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.analysis.items import ITEM_COLUMNS
from clpd_bench.analysis.metrics import metric_series
from clpd_bench.analysis.summary import summary
from clpd_bench.reporting.context import ReportContext
from clpd_bench.reporting.table_markdown import table_markdown

_ARROW = {"str": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
_SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in ITEM_COLUMNS.items()])
_ORDER = ["benchmark", "metric", "filter", "arm", "seed", "item"]


def write_tables(items: pd.DataFrame, comparisons: pd.DataFrame, out: Path, *, context: ReportContext) -> list[Path]:
    """Write table.md, table.csv, comparisons.csv and items.parquet into `out`.

    table.csv (as `summary` returns it) and comparisons.csv (as `compare` returns it) are in the metrics'
    own units: accuracy is a share of 1 there, and in percent in table.md. items.parquet holds
    ITEM_COLUMNS in a fixed order of rows, so that equal outcomes give equal bytes. All four are
    written in full before the first takes its place: a failure leaves an older report as it was.

    Returns:
        The four paths.

    Raises:
        UserError: items that can't be summarised (see `outcomes`).
    """
    means = summary(items)
    text = table_markdown(means, comparisons, metric_series(items), context)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".tables-") as folder:
        staged = Path(folder)
        (staged / "table.md").write_text(text, encoding="utf-8")
        means.to_csv(staged / "table.csv", index=False, lineterminator="\n")
        comparisons.to_csv(staged / "comparisons.csv", index=False, lineterminator="\n")
        pq.write_table(_items_table(items), staged / "items.parquet")
        names = ["table.md", "table.csv", "comparisons.csv", "items.parquet"]
        for name in names:
            (staged / name).replace(out / name)
    return [out / name for name in names]


def _items_table(items: pd.DataFrame) -> pa.Table:
    """ITEM_COLUMNS in _ORDER, without pandas' metadata: that records the types rows came in."""
    rows = items[list(ITEM_COLUMNS)].sort_values(_ORDER, kind="stable")
    table = pa.Table.from_pandas(rows, schema=_SCHEMA, preserve_index=False)
    return table.replace_schema_metadata(None)
