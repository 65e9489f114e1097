"""compare.md and compare.csv: two ablations, or one twice, beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from clpd_bench.analysis.series import METRICS
from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.report.markdown import bullets
from clpd_bench.report.write import write_files
from clpd_bench.results.compared import (
    ArmPair,
    CellPair,
    FieldDifference,
    arm_pairs,
    both_done,
    cell_pairs,
    in_one_alone,
    new_in_keys,
    recorded,
)
from clpd_bench.results.looks import UNRECORDED, leave_word, shown
from clpd_bench.results.sides import Side, two_sides
from clpd_bench.store import Store
from clpd_bench.tables.markdown import markdown
from clpd_bench.tables.rounding import UNITS, Unit, decimals, difference
from clpd_bench.tables.table import table

MOST_ALIKE = 4
_ARTIFACT = {"one": "same artifact", "equal": "same key", "student": "same student", "other": ""}


def compare_markdown(
    one: Side,
    other: Side,
    pairs: Sequence[CellPair],
    arms: Sequence[ArmPair],
    keys: Mapping[str, list[str]],
    fields: Sequence[FieldDifference],
    alone: tuple[Sequence[str], Sequence[str]],
    notes: Sequence[str],
) -> str:
    """The text.

    Args:
        keys, fields: of `new_in_keys` and `recorded`.
        alone: of `in_one_alone`, each side's.
    """
    blocks = [f"# {one.title} beside {other.title}", bullets([one.about, other.about])]
    for benchmark, metric, filtered in dict.fromkeys((pair.benchmark, pair.metric, pair.filter) for pair in pairs):
        unit = UNITS[metric]
        name = metric if filtered == "none" else f"{metric} ({filtered})"
        blocks.append(f"## {benchmark} {name} ({unit.mean}, {METRICS[metric]} is better)")
        which = (benchmark, metric, filtered)
        mine = [pair for pair in arms if (pair.benchmark, pair.metric, pair.filter) == which]
        cells = [pair for pair in pairs if (pair.benchmark, pair.metric, pair.filter) == which]
        columns = ["arm", "seeds", one.title, other.title, "difference", "95% interval"]
        blocks.append(markdown(table(columns, [_arm_line(pair, unit) for pair in mine])))
        columns = ["cell", one.title, other.title, "difference", "items that differ", "artifact"]
        blocks.append(markdown(table(columns, [_cell_line(pair, unit) for pair in cells])))
    blocks += ["## In what they differ", _differing(one, other, keys)]
    if fields:
        blocks += [
            "Recorded with the artifacts, and in no key:",
            markdown(
                table(
                    ["of", "field", one.title, other.title, "cells"],
                    [[f.what, f.field, f.first or "-", f.second or "-", _some(f.cells)] for f in fields],
                )
            ),
        ]
    blocks += [
        "## In one alone",
        _alone(one, other, alone),
        "## How to read this",
        bullets([*_explained(one, pairs), *notes]),
    ]
    return "\n\n".join(blocks) + "\n"


def _arm_line(pair: ArmPair, unit: Unit) -> list[str]:
    scores = [f"{value * unit.scale:.{unit.decimals}f}" for value in (pair.first, pair.second)]
    if math.isnan(pair.low):
        return [pair.arm, str(pair.seeds), *scores, _signed(pair.difference, unit), ""]
    shown = difference(pair.difference, pair.low, pair.high, unit)
    shown_interval = f"[{shown.low}, {shown.high}]" if pair.low < pair.high else ""
    return [pair.arm, str(pair.seeds), *scores, shown.difference, shown_interval]


def _cell_line(pair: CellPair, unit: Unit) -> list[str]:
    scores = [f"{value * unit.scale:.{unit.decimals}f}" for value in (pair.first, pair.second)]
    changed = f"{pair.changed} of {pair.items}" if pair.changed >= 0 else "other items"
    return [f"{pair.arm}/{pair.seed}", *scores, _signed(pair.difference, unit), changed, _ARTIFACT[pair.artifact]]


def _signed(value: float, unit: Unit) -> str:
    """With two digits that tell, however small it is."""
    value *= unit.scale
    return f"{value:+z.{max(unit.decimals, decimals(abs(value), unit.decimals))}f}" if value else "0"


def _differing(one: Side, other: Side, keys: Mapping[str, list[str]]) -> str:
    if not keys:
        return "The keys of all cells above are equal: the same settings, data, models and code."
    sentences = [f"{text} ({', '.join(arms)})" for text, arms in keys.items()]
    return f"`was` tells of {other.title}, `is` of {one.title}.\n\n{bullets(sentences)}"


def _alone(one: Side, other: Side, alone: tuple[Sequence[str], Sequence[str]]) -> str:
    sentences = [f"{side.title}: {', '.join(names)}." for side, names in zip((one, other), alone, strict=True) if names]
    return bullets(sentences) if sentences else "Each cell that one has, the other has, too."


def _explained(one: Side, pairs: Sequence[CellPair]) -> list[str]:
    sentences = [
        f"Differences have the sign of {one.title} less the other. Over seeds: the mean of the cells' differences with "
        "the paired t's 95% interval. This comparison was declared nowhere: intervals are unadjusted and no p-value is "
        "given.",
        "A cell is paired with the one of the same arm and seed: the same order of the data and, of "
        "students that begin from scratch, the same first weights, as far as the settings are the same.",
    ]
    if any(pair.changed < 0 for pair in pairs):
        sentences.append(
            "Other items: these two were asked other questions, so their means are compared and not their items."
        )
    if any(pair.artifact == "equal" for pair in pairs):
        sentences.append(
            "Same key: the same settings and code, run once for each store; where items differ, settings are not why."
        )
    return sentences


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_ALIKE} more" if len(names) > MOST_ALIKE else ""
    return ", ".join(names[:MOST_ALIKE]) + more


def write_comparison(first: Plan, store: Store, second: Plan, other: Store, out: Path) -> list[Path]:
    """compare.md, and compare.csv with a line a cell (the fields of CellPair, in the metrics' own units), from the
    stores alone. Both stores are left word of what was shown.

    Raises:
        UserError: one of the two has no outcomes, or they have no cell in common.
    """
    one, two = two_sides(first, store, second, other)
    if next(both_done(one, two), None) is None:
        raise UserError(
            "the two have no evaluated cell in common: an arm, a seed and a benchmark of the same names",
            file=second.file,
            found=", ".join(list(two.cells)[:3]),
            allowed=one.cells,
        )
    said = [leave_word(shown(side.cells.values(), side.specs, side.store), side.store) for side in (one, two)]
    pairs = cell_pairs(one, two)
    text = compare_markdown(
        one,
        two,
        pairs,
        arm_pairs(pairs),
        new_in_keys(one, two),
        recorded(one, two),
        (in_one_alone(one, two), in_one_alone(two, one)),
        [] if all(said) else [UNRECORDED],
    )
    cells = pd.DataFrame(pairs, columns=CellPair._fields).to_csv(index=False, lineterminator="\n")
    return write_files({"compare.md": text.encode(), "compare.csv": cells.encode()}, out)
