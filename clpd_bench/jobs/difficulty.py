"""difficulty: a number for each example of every split; higher is harder."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clpd_bench.corpus.example import SPLITS
from clpd_bench.corpus.reader import read_split
from clpd_bench.jobs.context import Context, Measured
from clpd_bench.settings.curriculum import Column
from clpd_bench.settings.specs import DifficultySpec


def run(spec: DifficultySpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    name = spec.difficulty
    column = f"column.{name.column}" if isinstance(name, Column) else "rationale_tokens"
    for split_name in SPLITS:
        split = read_split(inputs["corpus"], split_name)
        table = pa.table({"id": split.ids, "difficulty": split.numbers(column)})
        pq.write_table(table, out / f"{split_name}.parquet")
    return Measured()
