"""The shrunk ablations: tiny models in the place of the hub's, and the data sets' own files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny_models import write_models


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder above gsm8k, svamp and commonsense_qa."""
    named = os.environ.get("CLPD_DATA")
    if not named:
        pytest.skip("CLPD_DATA does not name the folder above gsm8k, svamp and commonsense_qa")
    return Path(named)


@pytest.fixture(scope="session")
def tiny(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny models."""
    lines = (data / "gsm8k" / "train.jsonl").read_text().splitlines()[:200]
    texts = [text for line in lines for text in json.loads(line).values()]
    folder = tmp_path_factory.mktemp("tiny")
    write_models(folder, texts)
    return folder


@pytest.fixture(scope="session")
def few(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `data`, with a few of its examples, short ones where they are long: to read, train and generate take less."""
    folder = tmp_path_factory.mktemp("few")
    for name, number in {
        "gsm8k/train": 48,
        "gsm8k/test": 6,
        "commonsense_qa/train": 48,
        "commonsense_qa/validation": 6,
    }.items():
        file = folder / f"{name}.jsonl"
        file.parent.mkdir(exist_ok=True)
        lines = sorted((data / f"{name}.jsonl").read_text().splitlines(), key=len)
        file.write_text("\n".join([*lines[:number], ""]))
    (folder / "svamp").mkdir()
    rows = json.loads((data / "svamp" / "test.json").read_text())
    (folder / "svamp" / "test.json").write_text(json.dumps(rows[:40]))
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: ablations share what both need."""
    return tmp_path_factory.mktemp("store") / "store"
