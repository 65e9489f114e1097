"""Rows whose fields the corpus's source names."""

from __future__ import annotations

from clpd_bench.corpus.example import Example
from clpd_bench.corpus.rows import Row
from clpd_bench.settings.sources import HubRows, Jsonl


def example(row: Row, settings: Jsonl | HubRows) -> Example:
    """
    Raises:
        UserError: a field is missing or will not do, or holds no result behind `split_on`.
    """
    answer = row.text(settings.answer)
    rationale = row.text(settings.rationale) if settings.rationale else ""
    if settings.split_on:
        before, mark, after = answer.rpartition(settings.split_on)
        if not mark or not after.strip():
            raise row.refused(
                f"field {settings.answer!r} holds no result behind {settings.split_on!r}", found=answer[-60:]
            )
        rationale, answer = "\n".join(part for part in (rationale, before.strip()) if part), after.strip()
    columns = {name: row.number(name) for name in settings.columns}
    return Example(row.text(settings.question), rationale, answer, columns, str(row.file), row.line)
