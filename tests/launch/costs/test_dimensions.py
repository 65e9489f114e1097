"""Where a model's dimensions are found, and that none are guessed."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, get_args

import pytest
from declared_file import COMMIT, STUDENT, ablation, hub, written
from pretrained_like import saved, write_gguf
from transformers import AutoConfig

from clpd_bench.costs.dimensions import NAMES, KnownDimensions, dimensions_in, of_source
from clpd_bench.costs.gguf_header import dimensions_of_gguf
from clpd_bench.errors import UserError
from clpd_bench.flops.parameters import parameters
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.dimensions import Dimensions, Family
from clpd_bench.settings.parts.pretrained import Hub, Local
from clpd_bench.store import Store

CONFIG = {**{k: v for k, v in STUDENT.items() if k != "source"}, "architectures": ["Qwen2ForCausalLM"]}


def plan_of(folder: Path, settings: dict[str, Any], *sets: str) -> Plan:
    file = written(folder, settings)
    return build_plan(load_ablation(file, list(sets)), file)


def cached(cache: Path, model: str, config: dict[str, Any]) -> None:
    """A config.json laid out as the hub's cache has it."""
    folder = cache / f"models--{model.replace('/', '--')}" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3_text"])
def test_a_folders_config_gives_the_model_in_it(kind: str, tmp_path: Path) -> None:
    model = saved(tmp_path / "m", kind)
    d = of_source(Local(name="local", folder=tmp_path / "m"))
    assert d
    assert parameters(d).total == model.num_parameters()


@pytest.mark.parametrize("family", get_args(Family))
def test_keys_that_a_config_leaves_out_are_taken_as_transformers_takes_them(family: Family, tmp_path: Path) -> None:
    shape = {"hidden_size": 4096, "num_hidden_layers": 2, "num_attention_heads": 32}
    given = {"model_type": family, **shape, "intermediate_size": 64, "vocab_size": 99}
    (tmp_path / "config.json").write_text(json.dumps(given))
    d = dimensions_in(tmp_path / "config.json", "x")
    config = AutoConfig.for_model(**given)
    assert d
    assert d.key_value_heads == config.num_key_value_heads
    assert d.head_size == (getattr(config, "head_dim", None) or 128)
    assert d.tie_word_embeddings == config.tie_word_embeddings


@pytest.mark.parametrize("parts", [1, 3])
def test_a_gguf_files_header_gives_the_model_in_it(parts: int, tmp_path: Path) -> None:
    write_gguf(tmp_path / "whole.gguf")
    data = (tmp_path / "whole.gguf").read_bytes()
    size = -(-len(data) // parts)
    files = [tmp_path / f"part{i}" for i in range(parts)]
    for i, file in enumerate(files):
        file.write_bytes(data[i * size : (i + 1) * size])
    d = dimensions_of_gguf(files, "x")
    assert d
    assert (d.hidden_size, d.num_hidden_layers, d.intermediate_size, d.num_attention_heads) == (32, 4, 64, 2)
    assert (d.tie_word_embeddings, d.model_type) == (False, "llama")


@pytest.mark.parametrize(
    "data", [b"", b"GGUF", b"no model at all, but long enough", struct.pack("<4sIQQ", b"GGUF", 3, 1, 9)]
)
def test_what_is_no_gguf_is_unknown(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(data)
    assert dimensions_of_gguf([tmp_path / "x.gguf"], "x") is None


def test_the_hubs_cache_is_looked_at_before_what_is_declared(tmp_path: Path) -> None:
    source = Hub.model_validate(hub("org/small", STUDENT))
    assert of_source(source) == source.dimensions
    cached(tmp_path / "hub", "org/small", CONFIG)
    found = of_source(source)
    assert found
    assert found.source == "config.json of org/small at 111111111111"
    assert found.model_dump(include=NAMES) == Dimensions.model_validate(STUDENT).model_dump(include=NAMES)


def test_a_declaration_that_contradicts_the_models_config_is_refused(tmp_path: Path) -> None:
    cached(tmp_path / "hub", "org/small", {**CONFIG, "num_hidden_layers": 12})
    with pytest.raises(UserError, match="num_hidden_layers 24 against 12"):
        of_source(Hub.model_validate(hub("org/small", STUDENT)))


@pytest.mark.parametrize("config", [{"model_type": "mamba"}, {"model_type": "llama"}, [], {**CONFIG, "hidden_size": 0}])
def test_a_config_of_another_kind_is_unknown_and_never_guessed(config: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert dimensions_in(tmp_path / "config.json", "x") is None


@pytest.mark.parametrize(
    ("rule", "kept"),
    [("[0, 2, 5]", 3), ("{name: every, n: 5}", 6), ("{name: first_last, first: 3, last: 1}", 4)],
)
def test_a_rule_for_layers_lowers_their_number(rule: str, kept: int, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ablation(), f"models.large.keep_layers={rule}")
    sizes = KnownDimensions(plan, Store(tmp_path / "s"))
    (tuned,) = (key for key, job in plan.jobs.items() if job.label == "model tuned")
    d = sizes.of(tuned)
    assert d
    assert d.num_hidden_layers == kept
    assert sizes.is_declared(tuned)


def test_declared_dimensions_and_expected_tokens_are_in_no_key(tmp_path: Path) -> None:
    declared, bare = ablation(), ablation(student=None, teacher=None)
    del bare["corpora"]["math"]["expected"]
    assert {*plan_of(tmp_path, declared).jobs} == {*plan_of(tmp_path, bare).jobs}
