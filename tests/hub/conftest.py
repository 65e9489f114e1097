"""A hub with a model and a data set, and a folder with an ablation on them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import GSM8K, MODEL, Desk, ablation, gsm8k
from server import Files, Hub, Running

sys.path.append(str(Path(__file__).parents[1] / "distillation"))
from pretrained_like import saved


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Files]:
    """The files of a tiny model, by the seed of its weights."""

    def made(seed: int) -> Files:
        folder = tmp_path_factory.mktemp("weights")
        saved(folder, seed=seed, max_position_embeddings=512)
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    return made


@pytest.fixture
def hub(weights: Callable[[int], Files]) -> Iterator[Running]:
    made = Hub()
    made.publish("models", MODEL, weights(0))
    made.publish("datasets", GSM8K, gsm8k())
    with Running(made) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, hub: Running) -> Desk:
    made = Desk(tmp_path, hub.endpoint)
    made.write(ablation())
    return made
