"""A student worth evaluating."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from evaluated import EVALUATION

from clpd_bench.distillation.context import Context
from clpd_bench.jobs import corpus, difficulty, evaluation, model
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.specs import CorpusSpec, DifficultySpec, ModelSpec

NAMES = ("corpus", "difficulty", "model", "evaluation")


@pytest.fixture(scope="session")
def folders(shared: Callable[..., Path]) -> dict[str, Path]:
    """A corpus, a student that gets some questions right, and its evaluation, made by the jobs' bodies."""
    root = shared("evaluated", _make)
    return {name: root / name for name in NAMES}


def _make(root: Path) -> None:
    made = {name: root / name for name in NAMES}
    for folder in made.values():
        folder.mkdir()
    context = Context(root / "checkpoints")
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
    evaluation.run(EVALUATION, made, made["evaluation"], context)
