"""An evaluation of validation items is what the same evaluation says of a corpus that has them as its test items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from evaluated import EVALUATION
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.models import load_model
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.jobs import evaluation


def rows_of(out: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(out / "items.parquet").to_pylist())


@pytest.fixture(scope="module")
def validated(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("validated")
    out = root / "out"
    out.mkdir()
    evaluation.run(EVALUATION.model_copy(update={"split": "validation"}), folders, out, Context(root / "checkpoints"))
    return out


def test_answers_and_losses_are_those_of_the_same_items_as_test_items(
    folders: dict[str, Path], validated: Path, tmp_path: Path
) -> None:
    swapped = dict(folders)
    for name in ("corpus", "difficulty"):
        swapped[name] = tmp_path / name
        swapped[name].mkdir()
        (swapped[name] / "test.parquet").symlink_to(folders[name] / "validation.parquet")
    (swapped["corpus"] / "tokenizer").symlink_to(folders["corpus"] / "tokenizer")
    out = tmp_path / "out"
    out.mkdir()
    evaluation.run(EVALUATION, swapped, out, Context(tmp_path / "checkpoints"))
    assert rows_of(validated) == rows_of(out)
    assert {row["metric"] for row in rows_of(validated)} == {"exact_match", "response_loss"}


def test_losses_are_those_of_scoring_the_validation_split_with_its_difficulties(
    folders: dict[str, Path], validated: Path
) -> None:
    split = read_split(folders["corpus"], "validation")
    tokenizer = AutoTokenizer.from_pretrained(str(folders["model"]))
    model = load_model(folders["model"], torch.float32).eval()
    losses = score(model, split, 8192, Vocabulary.of(tokenizer)).response_loss
    found = {row["item"]: row for row in rows_of(validated) if row["metric"] == "response_loss"}
    assert [found[item]["score"] for item in split.ids.tolist()] == losses.tolist()
    difficulty = read_difficulty(folders["difficulty"], "validation").tolist()
    assert [found[item]["difficulty"] for item in split.ids.tolist()] == difficulty


def test_the_task_that_is_written_holds_validation_items_alone(folders: dict[str, Path], validated: Path) -> None:
    documents = pq.read_table(validated / "documents.parquet").to_pylist()
    assert [one["id"] for one in documents] == read_split(folders["corpus"], "validation").ids.tolist()
    test = read_split(folders["corpus"], "test").ids.tolist()
    assert {row["item"] for row in rows_of(validated)}.isdisjoint(test)
