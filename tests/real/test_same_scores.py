"""lm-eval through us and by its own command line, on SmolLM2 and SVAMP."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command_line import command_line

from clpd_bench.jobs.body import Context, body
from clpd_bench.settings.parts.difficulty import CotTokens
from clpd_bench.settings.specs import BenchmarkSpec, DifficultySpec, EvaluationSpec

ITEMS = 10


@pytest.mark.soak
def test_smollm2_scores_through_us_as_by_the_command_line_item_by_item(
    smollm2: Path, svamp: Path, tmp_path: Path
) -> None:
    def folder(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    difficulty, out = folder("difficulty"), folder("evaluation")
    spec = DifficultySpec(difficulty=CotTokens(name="cot_tokens"))
    body("difficulty")(spec, {"corpus": svamp}, difficulty, Context(folder("a")))
    benchmark = BenchmarkSpec(max_new_tokens=32, extract="number", answer_marker="\n#### ")
    inputs = {"corpus": svamp, "difficulty": difficulty, "model": smollm2}
    spec_of_it = EvaluationSpec(benchmark=benchmark, batch_size=4, dtype="float32")
    body("evaluation")(spec_of_it, inputs, out, Context(folder("b")))
    rows = [row for row in pq.read_table(out / "items.parquet").to_pylist() if row["metric"] == "exact_match"]
    mine = {(row["item"], row["filter"]): (row["score"], row["output"]) for row in rows}
    samples = command_line(smollm2, out, "clpd_test", tmp_path / "theirs")
    theirs = {(s["doc"]["id"], s["filter"]): (s["exact_match"], s["resps"][0][0]) for s in samples}
    assert mine == theirs
    assert len(mine) == 2 * ITEMS
    assert len({output for _, output in mine.values()}) > ITEMS // 2, "answers that differ from item to item"
