"""Pretrained starts in a plan: brought in once, known by what they hold, wherever that lies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import save

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan

REVISION = "0123456789abcdef0123456789abcdef01234567"
TRAINING = {"steps": 4, "learning_rate": 1e-3}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder that has the names of a model's files; planning reads no more of it than bytes and a header."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "README.md"):
        (folder / name).write_text(name)
    (folder / "model.safetensors").write_bytes(save({"a": np.zeros(2)}))
    return folder


@pytest.fixture
def pretrained(small: Path, weights: Path) -> Path:
    """The small file, its student and teachers going back to one folder of weights."""
    data: dict[str, Any] = yaml.safe_load(small.read_text())
    data["corpora"]["sums"]["tokenizer"] = "of:base"
    data["models"] = {
        "base": {"initial": {"name": "local", "folder": "weights"}},
        "half": {"initial": "base", "keep_layers": [0, 2]},
        "small": {"initial": "half", "corpus": "many", "training": TRAINING},
        "large": {"initial": "base", "corpus": "many", "training": TRAINING},
    }
    data["student"]["initial"] = "half"
    small.write_text(yaml.safe_dump(data))
    return small


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def models(planned: Plan) -> dict[str, str]:
    """{name in the file: key}."""
    return {name: key for key, names in planned.models.items() for name in names if planned.jobs[key].label}


def job(planned: Plan, label: str) -> Any:
    return next(job for job in planned.jobs.values() if job.label == label)


def test_weights_are_brought_in_once_and_everything_goes_back_to_them(pretrained: Path) -> None:
    planned = plan_of(pretrained)
    base, half = job(planned, "weights of folder weights"), job(planned, "layers of half")
    assert base.parents == {}
    assert half.parents == {"initial": base.key}
    assert job(planned, "model large").parents["initial"] == base.key
    assert job(planned, "model small").parents["initial"] == half.key
    for cell in planned.cells:
        assert planned.jobs[cell.model].parents["initial"] == half.key
    assert [r.name for r in planned.references] == ["student before", "teacher small", "teacher large"]
    assert sum(spec.start is not None for spec in (j.spec for j in planned.jobs.values() if j.kind == "model")) == 1


def test_the_corpus_waits_for_no_model(pretrained: Path) -> None:
    planned = plan_of(pretrained)
    corpus = job(planned, "corpus sums")
    assert corpus.parents == {}
    assert set(corpus.spec.tokenizer_of.sha256) == {"config.json", "tokenizer.json"}
    assert job(planned, "corpus many").parents == {"tokenizer": corpus.key}


def test_keys_depend_on_what_the_files_hold_and_not_on_where_they_lie(pretrained: Path, weights: Path) -> None:
    before = plan_of(pretrained).jobs.keys()
    shutil.move(weights, weights.with_name("elsewhere"))
    elsewhere = "models.base.initial.folder=elsewhere"
    assert plan_of(pretrained, elsewhere).jobs.keys() == before
    for name in ("README.md", "generation_config.json"):
        (weights.with_name("elsewhere") / name).write_text("another word")
    assert plan_of(pretrained, elsewhere).jobs.keys() == before
    (weights.with_name("elsewhere") / "model.safetensors").write_bytes(save({"a": np.ones(2)}))
    after = plan_of(pretrained, elsewhere)
    corpora = {j.key for j in after.jobs.values() if j.kind in ("corpus", "difficulty")}
    assert after.jobs.keys() & before == corpora, "the tokenizer is the same, and all else another"


@pytest.mark.parametrize(
    "change",
    [
        "models.base.initial.dtype=bfloat16",
        "models.base.initial.attention=eager",
        "models.half.keep_layers=[0, 3]",
        "models.half.keep_layers={name: every, n: 2}",
    ],
)
def test_what_changes_the_weights_changes_the_students_and_no_corpus(pretrained: Path, change: str) -> None:
    before, after = plan_of(pretrained), plan_of(pretrained, change)
    assert before.corpora == after.corpora
    assert not {c.model for c in before.cells} & {c.model for c in after.cells}


def test_a_hub_model_is_known_by_its_commit(pretrained: Path) -> None:
    base = f"models.base.initial={{name: hub, model: org/thing, revision: {REVISION}}}"
    other = f"models.base.initial={{name: hub, model: org/thing, revision: {REVISION[::-1]}}}"
    a, b = plan_of(pretrained, base), plan_of(pretrained, other)
    assert not {c.model for c in a.cells} & {c.model for c in b.cells}
    assert a.corpora != b.corpora


def test_layers_by_cosine_wait_for_the_corpus_they_are_compared_on(pretrained: Path) -> None:
    planned = plan_of(pretrained, "models.half.keep_layers={name: cosine, layers: 2, corpus: many}")
    assert job(planned, "layers of half").parents["corpus"] == planned.corpora["many"]


def test_plans_go_through_json(pretrained: Path) -> None:
    planned = plan_of(pretrained, "models.half.keep_layers={name: cosine, layers: 2, corpus: many}")
    assert Plan.from_json(planned.to_json()) == planned


MISTAKES = {
    "no revision": (
        "models.base.initial={name: hub, model: org/thing, revision: the newest}",
        "models.base.initial.revision",
        "wants a branch, a tag, or a commit with all 40 hex digits",
    ),
    "a path for an id": (
        f"models.base.initial={{name: hub, model: ./weights/x/y, revision: {REVISION}}}",
        "models.base.initial.model",
        "organisation/name",
    ),
    "no weights": ("models.base.initial.folder=nowhere", "models.base.initial", "nowhere"),
    "both file and parts": (
        "models.base.initial={name: gguf, file: a.gguf, parts: [b.gguf]}",
        "models.base.initial",
        "exactly one of file and parts",
    ),
    "a package that is not there": (
        "models.base.initial={name: gguf, file: 'package:no_such_package/a.gguf'}",
        "models.base.initial.file",
        "the Python package no_such_package is not installed",
    ),
    "training without a corpus": (
        "models.large={initial: base, training: {steps: 4, learning_rate: 1e-3}}",
        "models.large",
        "has a training and no corpus",
    ),
    "layers out of order": ("models.half.keep_layers=[2, 1]", "models.half.keep_layers", "each larger than the one"),
    "layers on an unknown corpus": (
        "models.half.keep_layers={name: cosine, layers: 2, corpus: mayn}",
        "models.half.keep_layers.corpus",
        "Did you mean 'many'?",
    ),
    "the tokenizer of fresh weights": (
        "models.base.initial={name: llama, hidden_size: 8, num_attention_heads: 2}",
        "models.base",
        "fresh weights",
    ),
    "a pretrained student on a corpus's own tokens": (
        "corpora.sums.tokenizer=characters",
        "",
        "goes back to pretrained weights, and corpus 'sums' makes a tokenizer of its own",
    ),
    "the tokenizer of an unknown model": ("corpora.sums.tokenizer=of:bsae", "corpora.sums.tokenizer", "'base'"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_told_with_their_key(what: str, pretrained: Path) -> None:
    change, key, sentence = MISTAKES[what]
    with pytest.raises(UserError) as caught:
        plan_of(pretrained, change)
    assert sentence in str(caught.value)
    assert str(caught.value.key).startswith(key)


@pytest.fixture
def ladder(pretrained: Path) -> Path:
    """Teachers that are two checkpoints of one fine-tuning and its end."""
    data: dict[str, Any] = yaml.safe_load(pretrained.read_text())
    data["models"]["tuned"] = {
        "initial": "base",
        "corpus": "many",
        "training": {"steps": 160, "learning_rate": 1e-3, "keep_steps": [20, 50]},
    }
    data["models"]["t20"] = {"initial": {"name": "model", "model": "tuned", "step": 20}}
    data["models"]["t50"] = {"initial": {"name": "model", "model": "tuned", "step": 50}}
    data["teachers"] = ["t20", "t50", "tuned"]
    data["curriculum"]["stages"] = 3
    pretrained.write_text(yaml.safe_dump(data))
    return pretrained


def test_a_ladder_of_checkpoints_is_trained_once(ladder: Path) -> None:
    planned = plan_of(ladder)
    trained = [j for j in planned.jobs.values() if j.kind == "model" and j.spec.training and "student" not in j.label]
    tuned = job(planned, "model tuned")
    assert [j.label for j in trained if "initial" in j.parents].count("model tuned") == 1
    rungs = [job(planned, f"tuned at step {n}") for n in (20, 50)]
    assert [rung.parents for rung in rungs] == [{"initial": tuned.key}] * 2
    assert rungs[0].key != rungs[1].key
    clpd = next(planned.jobs[c.model] for c in planned.cells if c.name == "clpd")
    taught_by = [planned.jobs[clpd.parents[f"targets.{m}"]].parents["model"] for m in (1, 2, 3)]
    assert taught_by == [rungs[0].key, rungs[1].key, tuned.key]


def test_a_checkpoint_may_be_trained_further(ladder: Path) -> None:
    planned = plan_of(ladder, f"models.t20.training={TRAINING}", "models.t20.corpus=many")
    assert job(planned, "model t20").parents["initial"] == job(planned, "tuned at step 20").key


LADDER_MISTAKES = {
    "a step that is not kept": ("models.t20.initial.step=21", "keeps no such step", "Add 21 to models.tuned.training"),
    "a step of a model that is not trained": (
        "models.t20.initial.model=base",
        "is not trained, and has no steps",
        "Leave step out",
    ),
}


@pytest.mark.parametrize("what", LADDER_MISTAKES)
def test_a_checkpoint_is_one_that_the_training_keeps(what: str, ladder: Path) -> None:
    change, *sentences = LADDER_MISTAKES[what]
    with pytest.raises(UserError) as caught:
        plan_of(ladder, change)
    assert all(sentence in str(caught.value) for sentence in sentences)
    assert caught.value.key == "models.t20.initial.step"


def test_a_student_of_live_teachers_waits_for_them_and_for_no_targets(pretrained: Path) -> None:
    planned = plan_of(pretrained, "targets.live=true")
    assert not [j for j in planned.jobs.values() if j.kind == "targets"]
    teachers = [job(planned, f"model {name}").key for name in ("small", "large")]
    of = {c.name: planned.jobs[c.model] for c in planned.cells}
    assert [of["clpd"].parents[f"teacher.{m}"] for m in (1, 2)] == teachers
    assert {r: k for r, k in of["standard_kd"].parents.items() if r.startswith("teacher")} == {"teacher.1": teachers[1]}
    assert of["clpd"].spec.supervision.live
    stored = {c.name: c.model for c in plan_of(pretrained).cells}
    assert {name for name in of if of[name].key == stored[name]} == {"sft"}, "sft has no teacher that could be live"
