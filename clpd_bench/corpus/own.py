"""A corpus that a function of the user's own gives, held to what every source is held to."""

from __future__ import annotations

import itertools
import math
from typing import Any

from clpd_bench.corpus.example import SPLITS, Example, normalised
from clpd_bench.errors import PluginError, UserError
from clpd_bench.plugins import load
from clpd_bench.settings.plugin import CorpusPlugin

Row = dict[str, Any]


def read(settings: CorpusPlugin) -> dict[str, list[Example]]:
    """Examples by split.

    Raises:
        PluginError: the function fails, or a row that it returns will not do.
        UserError: a question stands in two splits.
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
    _refuse_overlap(splits, settings)
    return splits


def _wrong(row: object, settings: CorpusPlugin) -> str | None:
    if not isinstance(row, dict):
        return "is no dict"
    for name in ("question", "answer", *(("rationale",) if settings.rationale else ())):
        if not isinstance(row.get(name), str) or not row[name].strip():
            return f"has no text under {name!r}"
    if not settings.rationale and row.get("rationale"):
        return "has a rationale, which `rationale: false` denies"
    columns = row.get("columns") or {}
    if not isinstance(columns, dict) or set(columns) != set(settings.columns):
        return f"has not exactly the columns {list(settings.columns)} that the ablation file lists"
    for name, value in columns.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return f"has no number in column {name!r}"
    return None


def _refuse_overlap(splits: dict[str, list[Example]], settings: CorpusPlugin) -> None:
    questions = {split: {normalised(e.question) for e in examples} for split, examples in splits.items()}
    for one, other in itertools.combinations(SPLITS, 2):
        shared = questions[one] & questions[other]
        if shared:
            raise UserError(
                f"{len(shared)} questions that {settings.function} returns stand in {one} and in {other}, first "
                f"{min(shared)[:60]!r}",
                file=settings.file,
                fix="Take them out of one of the two",
            )
