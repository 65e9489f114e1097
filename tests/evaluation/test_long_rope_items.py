"""What a LongRoPE model answers does not depend on how many items it is asked at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from evaluated import EVALUATION
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_split
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.models import new_model, save_model
from clpd_bench.jobs import corpus, difficulty, evaluation
from clpd_bench.jobs.body import Measured
from clpd_bench.settings.parts.model import Llama
from clpd_bench.settings.specs import CorpusSpec, DifficultySpec

NEW = 40
"""Tokens of an answer: the longest of the corpus has 38."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A corpus whose prompts differ in length."""
    root = tmp_path_factory.mktemp("long")
    made = {name: root / name for name in ("corpus", "difficulty")}
    for folder in made.values():
        folder.mkdir()
    source = {"name": "chained_sums", "operations": [1, 6], "train": 40, "validation": 3, "test": 12}
    settings = {"corpus": {"source": source, "tokenizer": "characters", "answer_marker": ":"}}
    corpus.run(CorpusSpec.model_validate(settings), {}, made["corpus"], Context(root))
    difficulty.run(DifficultySpec.model_validate({"difficulty": "cot_tokens"}), made, made["difficulty"], Context(root))
    return made


def long_rope(inputs: dict[str, Path], out: Path, boundary: int) -> Path:
    """A model with fresh weights, which reads batches beyond `boundary` tokens otherwise."""
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    architecture = Llama(
        name="llama", hidden_size=32, num_attention_heads=2, initializer_range=0.5, max_position_embeddings=96
    )
    model = new_model(architecture, tokenizer, Streams(0))
    model.config.rope_parameters |= {
        "rope_type": "longrope",
        "short_factor": [1.0] * 8,
        "long_factor": [16.0] * 8,
        "original_max_position_embeddings": boundary,
        "attention_factor": 1.0,
    }
    save_model(model, tokenizer, out)
    return out


def items(
    inputs: dict[str, Path], model: Path, out: Path, batch_size: int
) -> tuple[Measured, dict[str, object], dict[str, float]]:
    """What the job measured; the answers, and the losses, by item."""
    out.mkdir()
    benchmark = EVALUATION.benchmark.model_copy(update={"max_new_tokens": NEW})
    spec = EVALUATION.model_copy(update={"batch_size": batch_size, "benchmark": benchmark})
    measured = evaluation.run(spec, {**inputs, "model": model}, out, Context(out / "checkpoints"))
    (samples,) = out.rglob("samples_*.jsonl")
    said = [json.loads(line) for line in samples.read_text().splitlines()]
    losses = pq.read_table(out / "items.parquet", filters=[("metric", "=", "response_loss")])
    return (
        measured,
        {f"{one['doc']['id']} {one['filter']}": one["resps"] for one in said},
        dict(zip(losses["item"].to_pylist(), losses["score"].to_pylist(), strict=True)),
    )


def test_long_rope_items_are_those_of_each_item_alone(inputs: dict[str, Path], tmp_path: Path) -> None:
    """Answers to long prompts grow over the boundary, those to short ones do not."""
    prompts = read_split(inputs["corpus"], "test").prompts.lengths
    boundary = int(prompts.min()) + NEW
    assert prompts.max() < boundary < prompts.max() + NEW
    model = long_rope(inputs, tmp_path / "model", boundary)
    _, answers, losses = items(inputs, model, tmp_path / "alone", 1)
    together, *found = items(inputs, model, tmp_path / "together", 12)
    assert found == [answers, pytest.approx(losses, rel=1e-5)]
    assert together.details == {"batch_size": 1}, "the manifest says that items were asked one at a time"


def test_long_rope_items_go_together_where_nothing_is_long(inputs: dict[str, Path], tmp_path: Path) -> None:
    model = long_rope(inputs, tmp_path / "model", 90)
    _, answers, losses = items(inputs, model, tmp_path / "alone", 1)
    together, *found = items(inputs, model, tmp_path / "together", 12)
    assert found == [answers, pytest.approx(losses, rel=1e-5)]
    assert together.details == {}
