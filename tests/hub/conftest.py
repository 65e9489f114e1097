"""A hub with a model and a data set, and a folder with an ablation on them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import GSM8K, MODEL, Desk, ablation, gsm8k
from server import Elsewhere, Files, Hub, Running

sys.path.append(str(Path(__file__).parents[1] / "distillation"))
from pretrained_like import saved


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Files]:
    """The files of a tiny model, by the seed of its weights."""

    @functools.cache
    def made(seed: int) -> Files:
        folder = tmp_path_factory.mktemp("weights")
        # One layer: gsm8k has each model write 256 tokens.
        saved(folder, seed=seed, max_position_embeddings=512, num_hidden_layers=1)
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
def elsewhere() -> Iterator[Elsewhere]:
    """Whatever is not the hub of the test. Nobody may ask for it, or the test asks the real hub."""
    with Elsewhere() as made:
        yield made
        assert made.asked == []


@pytest.fixture
def desk(tmp_path: Path, hub: Running, elsewhere: Elsewhere) -> Desk:
    made = Desk(tmp_path, hub.endpoint, elsewhere.endpoint)
    made.write(ablation())
    return made
