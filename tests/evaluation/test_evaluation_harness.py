"""lm-eval through us against lm-eval's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clpd_bench.jobs import corpus, difficulty, evaluation, model
from clpd_bench.jobs.context import Context
from clpd_bench.settings.corpus import CorpusSettings
from clpd_bench.settings.specs import CorpusSpec, DifficultySpec, EvaluationSpec, ModelSpec


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A corpus, a student that gets some questions right, and its evaluation, made by the jobs' bodies."""
    root = tmp_path_factory.mktemp("jobs")
    made = {name: root / name for name in ("corpus", "difficulty", "model", "evaluation", "checkpoints")}
    for folder in made.values():
        folder.mkdir()
    context = Context(made["checkpoints"])
    source = {"name": "chained_sums", "operations": [1, 1], "modulus": 5, "train": 40, "validation": 3, "test": 10}
    settings = CorpusSettings.model_validate(
        {"source": source, "tokenizer": "characters", "answer_marker": ":", "max_tokens": 32}
    )
    corpus.run(CorpusSpec(corpus=settings), {}, made["corpus"], context)
    difficulty.run(DifficultySpec.model_validate({"difficulty": "cot_tokens"}), made, made["difficulty"], context)
    spec = {
        "architecture": {"name": "llama", "hidden_size": 32, "num_attention_heads": 2, "max_position_embeddings": 64},
        "training": {"epochs": 80, "steps": 80, "learning_rate": 1e-2},
        "supervision": {"order": "shuffled"},
        "seed": 0,
    }
    model.run(ModelSpec.model_validate(spec), {"corpus": made["corpus"]}, made["model"], context)
    evaluation.run(_spec(), made, made["evaluation"], context)
    return made


def _spec() -> EvaluationSpec:
    benchmark = {"max_new_tokens": 12, "answer_marker": ":"}
    return EvaluationSpec.model_validate({"benchmark": benchmark, "batch_size": 4, "dtype": "float32"})


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
