"""What the declared seeds can find, for people at `clpd plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from clpd_bench.report import power_words as words
from clpd_bench.tables.table import Column, Table, table
from clpd_bench.tables.terminal import terminal


def print_power(points: Sequence[tuple[str, Mapping[str, Any]]], console: Console) -> None:
    """Prints each point's `power_of`; points at which it is the same once.

    Args:
        points: (label, power).
    """
    groups: list[tuple[Mapping[str, Any], list[str]]] = []
    for label, power in points:
        same = next((labels for other, labels in groups if other == power), None)
        if same is None:
            groups.append((power, [label]))
        else:
            same.append(label)
    for power, labels in groups:
        at = f" at {' '.join(label or '[base]' for label in labels)}" if len(groups) > 1 else ""
        print_one(power, at, console)


def print_one(power: Mapping[str, Any], at: str, console: Console) -> None:
    console.print(f"\nWhat the test can find{escape(at)} ({escape(words.claim(power))}):")
    lines = [
        ("sd of a paired difference", words.spread_text(power)),
        ("smallest found", words.finds_text(power)),
        ("one more seed, all arms", words.cost_text(power)),
    ]
    console.print(terminal(table([Column("", wraps=False), ""], lines)))
    console.print()
    console.print(terminal(_effects(power)))
    if power["warning"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(power['warning'])}.")


def _effects(power: Mapping[str, Any]) -> Table:
    known, levels = power["spread"] is not None, words.levels(power)
    strictest = list(levels)[-1]
    headings = ["true difference: sd", *([words.unit(power["metric"])] if known else [])]
    headings += [f"power, {heading}" for heading in levels.values()]
    headings += [f"seeds for {power['power'] * 100:.0f} %, {heading}" for heading in levels.values()]
    headings += ["seeds to add", *(["at a cost of"] if power["one_more_seed"] else [])]
    rows = []
    for row in power["effects"]:
        raw = [words.amount(row["difference"], power["metric"])] if known else []
        found = [words.percent(row["power"][level]) for level in levels]
        needed = [words.count(row["seeds_needed"][level]) for level in levels]
        rows.append([f"{row['d_z']:g}", *raw, *found, *needed, *_added(row, strictest, power)])
    return table([Column(heading, "right") for heading in headings], rows)


def _added(row: Mapping[str, Any], level: str, power: Mapping[str, Any]) -> list[str]:
    cost = power["one_more_seed"]
    more, seconds = row["added_seeds"][level], row["added_seconds"][level]
    said = ["-" if more is None else str(more)]
    if cost is None:
        return said
    return [*said, words.cost_of(seconds, cost["device"]) if more else ""]
