"""compare.md and compare.csv: two ablations, or one twice, beside each other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clpd_bench.errors import UserError
from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.compared.cells import CellPair, arm_pairs, both_done, cell_pairs, in_one_alone
from clpd_bench.reporting.compared.differing import new_in_keys, recorded
from clpd_bench.reporting.compared.markdown import compare_markdown
from clpd_bench.reporting.compared.side import two_sides
from clpd_bench.reporting.shown import shown
from clpd_bench.reporting.word import UNRECORDED, leave_word
from clpd_bench.reporting.write import write_files
from clpd_bench.store import Store


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
    table = pd.DataFrame(pairs, columns=CellPair._fields).to_csv(index=False, lineterminator="\n")
    return write_files({"compare.md": text.encode(), "compare.csv": table.encode()}, out)
