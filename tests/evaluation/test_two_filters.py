"""One generation, two ways to take the answer out of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from evaluated import EVALUATION

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.context import Context
from clpd_bench.jobs import evaluation
from clpd_bench.settings.specs import EvaluationSpec


def run(folders: dict[str, Path], out: Path, **changes: object) -> list[dict[str, object]]:
    out.mkdir()
    spec = EvaluationSpec.model_validate(
        {**EVALUATION.model_dump(), "benchmark": {**EVALUATION.benchmark.model_dump(), **changes}}
    )
    evaluation.run(spec, folders, out, Context(out.with_name(f"{out.name}-checkpoints")))
    rows: list[dict[str, object]] = pq.read_table(out / "items.parquet").to_pylist()
    return rows


def test_strict_and_flexible_scores_are_of_the_same_outputs(folders: dict[str, Path], tmp_path: Path) -> None:
    """Against a reading of the outputs by hand."""
    rows = run(folders, tmp_path / "out", extract="number")
    answers = dict(
        zip(*(read_split(folders["corpus"], "test").table[c].to_pylist() for c in ("id", "answer")), strict=True)
    )
    strict, flexible = ({r["item"]: r for r in rows if r["filter"] == name} for name in ("strict", "flexible"))
    assert strict.keys() == flexible.keys() == answers.keys()
    for item, row in flexible.items():
        output = str(row["output"])
        assert output == strict[item]["output"]
        assert row["score"] == float(output[-1:] == answers[item])
        assert strict[item]["score"] == float(output.rpartition(":")[1:] == (":", answers[item]))
    assert {r["score"] for r in flexible.values()} == {0.0, 1.0}


def test_a_benchmark_without_new_tokens_generates_nothing(folders: dict[str, Path], tmp_path: Path) -> None:
    rows = run(folders, tmp_path / "out", max_new_tokens=None)
    whole = pq.read_table(folders["evaluation"] / "items.parquet").to_pylist()
    assert rows == [row for row in whole if row["metric"] == "response_loss"]
