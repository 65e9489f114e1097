"""What a run has found, as tables of Markdown: one a part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def tables(record: dict[str, Any]) -> Iterator[str]:
    """Lines.

    Args:
        record: what `gpu.py --out` has written.
    """
    for name, part in record["parts"].items():
        yield f"{name}: {part['status']}, {part['seconds']:.0f} s of {part['limit']:.0f} s"
        yield ""
        columns = list(dict.fromkeys(column for result in part["results"] for column in result["values"]))
        checked = ["off by", "allowed", "ok"] if any(result["check"] for result in part["results"]) else []
        yield _row(["case", *columns, *checked, "note"])
        yield _row(["---"] * (2 + len(columns) + len(checked)))
        for result in part["results"]:
            check = result["check"] or {}
            yield _row(
                [
                    result["case"],
                    *(_said(result["values"].get(column)) for column in columns),
                    *(_said(check.get(key)) for key in ("deviation", "tolerance", "ok")[: len(checked)]),
                    _note(result),
                ]
            )
        yield ""


def _note(result: dict[str, Any]) -> str:
    if result["missing"]:
        return f"{result['missing']} is missing"
    return f"failed: {result['error'].splitlines()[-1]}" if result["error"] else ""


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
