"""A model's own generation settings rule nothing: the same weights say the same, whatever lies beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command_line import command_line
from evaluated import EVALUATION

from clpd_bench.distillation.context import Context
from clpd_bench.jobs import evaluation, model
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.settings.specs import ModelSpec

OWN: dict[str, dict[str, Any]] = {
    # as published fine-tunes of Qwen2.5-14B and of Llama-3.1-8B have them, with the ids of their vocabularies
    "qwen": {
        "do_sample": True,
        "eos_token_id": [151645, 151643],
        "pad_token_id": 151643,
        "temperature": 0.1,
        "top_k": 30,
        "top_p": 0.3,
        "repetition_penalty": 1.05,
        "length_penalty": 1.2,
        "encoder_repetition_penalty": 0.9,
        "max_new_tokens": 131072,
    },
    "llama": {
        "_from_model_config": True,
        "bos_token_id": 128000,
        "do_sample": True,
        "eos_token_id": 128001,
        "max_length": 131072,
        "pad_token_id": 128004,
        "temperature": 0.6,
        "top_p": 0.9,
    },
    "short": {"max_new_tokens": 2},
    "long": {"min_new_tokens": 10, "eos_token_id": 5},
    "searching": {"num_beams": 3, "length_penalty": 2.0},
    "forbidding": {"suppress_tokens": [3, 4, 5], "bad_words_ids": [[6], [7]], "begin_suppress_tokens": [8]},
    "unrepeating": {"repetition_penalty": 3.0, "no_repeat_ngram_size": 1, "do_sample": True, "temperature": 9.0},
}


def folder_with(student: Path, folder: Path, settings: dict[str, Any], file: str) -> Path:
    """A copy of the student with these in `generation_config.json`, or as folders once had them, in `config.json`."""
    shutil.copytree(student, folder)
    (folder / "generation_config.json").unlink()
    there = json.loads((folder / file).read_text()) if file == "config.json" else {}
    (folder / file).write_text(json.dumps({**there, **settings}))
    return folder


def outputs(out: Path) -> dict[str, str]:
    rows = pq.read_table(out / "items.parquet").to_pylist()
    return {row["item"]: row["output"] for row in rows if row["metric"] == "exact_match"}


@pytest.mark.parametrize(("own", "file"), [*((own, "generation_config.json") for own in OWN), ("short", "config.json")])
def test_a_models_own_generation_settings_move_no_output(
    own: str, file: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    student = folder_with(folders["model"], tmp_path / "student", OWN[own], file)
    out = tmp_path / "out"
    out.mkdir()
    evaluation.run(EVALUATION, {**folders, "model": student}, out, Context(tmp_path / "checkpoints"))
    assert outputs(out) == outputs(folders["evaluation"])


def test_what_is_kept_of_a_folder_generates_as_it_is_evaluated_by_anyone(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """Copies that differ in their generation settings alone are one model, file by file, and lm-eval's command line
    on what is kept says what the evaluation did."""
    kept = {}
    for name in ("short", "searching"):
        theirs = folder_with(folders["model"], tmp_path / name, OWN[name], "generation_config.json")
        start = start_of(Local(name="local", folder=theirs))
        kept[name] = tmp_path / f"{name} kept"
        kept[name].mkdir()
        model.run(ModelSpec(start=start, seed=0), {}, kept[name], Context(tmp_path / "checkpoints"))
    one, other = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in kept.values())
    assert one == other
    samples = command_line(kept["short"], folders["evaluation"], "clpd_test", tmp_path / "theirs")
    said = {sample["doc"]["id"]: sample["resps"][0][0] for sample in samples}
    assert said == outputs(folders["evaluation"])
