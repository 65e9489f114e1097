"""A report's outcomes for notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clpd_bench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

FILE = "items.parquet"


def read_items(path_or_report_folder: str | Path) -> pd.DataFrame:
    """The outcomes of a report, one row an outcome.

    Args:
        path_or_report_folder: `reports/<ablation>`, or an items.parquet.

    Returns:
        A data frame with these columns, sorted by benchmark, metric, filter, arm, seed and item:

        kind (str): `arm` for a trained student, `reference` for a model that no arm trained.
        arm (str): the arm's name, or the reference's (`student before`, `teacher large`).
        seed (int): the cell's seed; -1 for a reference that all seeds share.
        benchmark (str): as in the ablation file.
        metric (str): `exact_match`, `acc`, `acc_norm` (0 or 1, higher is better) or `response_loss` (mean nats a
            response token, lower is better).
        filter (str): how the answer was taken out of the text, lm-eval's filter.
        item (str): id of the test example: a hash of its content, the same in every arm and seed.
        score (float): the metric on this item, in its own unit (accuracy is a share of 1).
        difficulty (float): of the example, by the ablation's difficulty; higher is harder. Of lm-eval's own
            tasks, and where the file names no difficulty, there is none.
        truncated (bool): whether the output ended by length, without an end token or a text that stops it; None where
            nothing was generated.
        prompt_hash, target_hash (str): what the model was given and what was expected. Arms may be
            compared item by item because these are equal.

    Example:
        >>> items = read_items("reports/smoke")  # doctest: +SKIP
        >>> items.groupby(["arm", "seed", "metric"])["score"].mean()  # doctest: +SKIP

    Raises:
        UserError: there is no such file.
    """
    import pandas as pd  # most of a second: only for those who read

    path = Path(path_or_report_folder)
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise UserError("there are no items", file=file, fix="Write the report first: clpd report FILE")
    return pd.read_parquet(file)
