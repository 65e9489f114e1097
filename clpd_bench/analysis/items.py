"""The items table: what every analysis and report starts from."""

from __future__ import annotations

import pandas as pd

from clpd_bench.errors import UserError

REFERENCE = "reference"
"""The kind of rows that belong to no arm: the student before distillation, the teachers. Their seed
is -1 where one model is shared by all seeds."""
FLOOR = "floor "
"""What the names of references begin with that are no models: rules that read no meaning."""

ITEM_COLUMNS = {
    "kind": "str",
    "arm": "str",
    "seed": "int64",
    "benchmark": "str",
    "metric": "str",
    "filter": "str",
    "item": "str",
    "score": "float64",
    "difficulty": "float64",
    "prompt_hash": "str",
    "target_hash": "str",
    "truncated": "bool",
}
"""The columns of an items table and their types: one row an outcome."""


def check_columns(items: pd.DataFrame) -> None:
    """Raise a UserError if one of ITEM_COLUMNS is absent."""
    for column in ITEM_COLUMNS:
        if column not in items.columns:
            raise UserError(f"the items have no column {column!r}", allowed=ITEM_COLUMNS)
