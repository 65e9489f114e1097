"""lm-eval through us against lm-eval's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq


def test_lm_eval_through_us_equals_its_own_command_line_item_by_item(folders: dict[str, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", "cpu", "--batch_size", "4"]
    command += ["--model_args", f"pretrained={folders['model']},dtype=float32", "--tasks", "clpd_test"]
    command += ["--include_path", ".", "--log_samples", "--output_path", str(tmp_path)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    subprocess.run(command, cwd=folders["evaluation"], env=environment, check=True, capture_output=True, timeout=240)
    (samples,) = tmp_path.rglob("samples_clpd_test*.jsonl")
    theirs = {}
    for line in samples.read_text().splitlines():
        sample = json.loads(line)
        theirs[sample["doc"]["id"]] = (sample["exact_match"], sample["resps"][0][0])
    rows = pq.read_table(folders["evaluation"] / "items.parquet").to_pylist()
    ours = {row["item"]: (row["score"], row["output"]) for row in rows if row["metric"] == "exact_match"}
    assert ours == theirs
    assert {score for score, _ in ours.values()} == {0.0, 1.0}, "some right, some wrong: else equality says little"
