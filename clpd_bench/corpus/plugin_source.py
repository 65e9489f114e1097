"""A corpus that a function of the user's own gives, held to what every source is held to."""

from __future__ import annotations

import sys
from typing import Any

from clpd_bench.corpus.example import SPLITS, Example
from clpd_bench.corpus.rows import has_half_pair
from clpd_bench.corpus.splits import Ledger, settled
from clpd_bench.errors import PluginError
from clpd_bench.outside.plugins import load
from clpd_bench.settings.plugin import CorpusPlugin

Row = dict[str, Any]
LARGEST = sys.float_info.max
"""Of what a column may hold: nan, inf and ints beyond it are no float."""


def read(settings: CorpusPlugin) -> tuple[dict[str, list[Example]], Ledger]:
    """Examples by split, and what was left out of them.

    Raises:
        PluginError: the function fails, or a row that it returns will not do.
        UserError: a question stands in two splits, see `settled`.
    """
    function = load(settings)
    returned = function()
    if not isinstance(returned, dict) or set(returned) != set(SPLITS) or not all(returned.values()):
        raise function.refused(returned, f"{{{', '.join(SPLITS)}: a list of examples each, none empty}}")
    splits: dict[str, list[Example]] = {}
    for split in SPLITS:
        splits[split] = []
        for i, row in enumerate(returned[split]):
            wrong = _wrong(row, settings)
            if wrong:
                raise PluginError(f"{settings.file} in {settings.function}: {split}[{i}] {wrong}: {str(row)[:80]}")
            rationale = row["rationale"].strip() if settings.rationale else ""
            columns = {name: float(row["columns"][name]) for name in settings.columns}
            splits[split].append(Example(row["question"].strip(), rationale, row["answer"].strip(), columns))
    return settled(splits, settings.overlap, settings.file)


def _wrong(row: object, settings: CorpusPlugin) -> str | None:
    if not isinstance(row, dict):
        return "is no dict"
    for name in ("question", "answer", *(("rationale",) if settings.rationale else ())):
        if not isinstance(row.get(name), str) or not row[name].strip():
            return f"has no text under {name!r}, but {row.get(name)!r:.60}"
        if has_half_pair(row[name]):
            return f"has half of a surrogate pair under {name!r}, which is no text"
    if not settings.rationale and row.get("rationale"):
        return "has a rationale, which `rationale: false` denies"
    columns = row.get("columns") or {}
    if not isinstance(columns, dict) or set(columns) != set(settings.columns):
        return f"has not exactly the columns {list(settings.columns)} that the ablation file lists"
    for name, value in columns.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
            return f"has no number in column {name!r}, but {value!r:.60}"
    return None
