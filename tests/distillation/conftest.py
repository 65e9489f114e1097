"""One thread, as the references are tiny; and the settings of a run of a few steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import TOKENIZER, TOKENS, random_split, tiny_model
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.targets import Targets, read_targets, write_targets
from clpd_bench.flops import sizes
from clpd_bench.settings.parts.loss import TargetsSettings

torch.set_num_threads(1)

LENGTHS = [(3, 5), (7, 2), (1, 1), (4, 9), (2, 2), (6, 6), (5, 3), (2, 8), (9, 1), (3, 4), (8, 7), (1, 3)]
"""Prompt and response tokens of each example, the end token counted."""


@pytest.fixture(scope="session")
def split() -> Split:
    return random_split(LENGTHS)


@pytest.fixture
def student() -> PreTrainedModel:
    return tiny_model(seed=1).double()


@pytest.fixture(scope="session")
def teachers() -> list[PreTrainedModel]:
    """Two of different sizes, with outputs far enough from uniform to tell them apart."""
    return [tiny_model(seed=s, hidden_size=h).eval() for s, h in ((11, 16), (12, 32))]


@pytest.fixture(scope="session")
def whole_targets(
    teachers: list[PreTrainedModel], split: Split, tmp_path_factory: pytest.TempPathFactory
) -> list[Targets]:
    """Both teachers' targets on `split` over the whole vocabulary, at T = 2, as read back from disk."""
    read = []
    for i, teacher in enumerate(teachers):
        folder = tmp_path_factory.mktemp(f"targets-{i}")
        write_targets(teacher, split, TargetsSettings(temperatures=(1.0, 2.0)), 64, TOKENS, folder, _ignore)
        read.append(read_targets(folder, split, 2.0))
    return read


@pytest.fixture(params=[None, 5], ids=["one chunk", "chunks of 5 rows"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All logits at once, as these small vocabularies allow, and a few rows at a time."""
    if request.param:
        monkeypatch.setitem(sizes.CHUNK_ELEMENTS, "cpu", request.param * len(TOKENIZER) + 1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def _ignore(done: int, of: int) -> None:
    pass
