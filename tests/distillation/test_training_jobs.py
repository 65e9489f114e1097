"""The bodies of `model` and `targets` jobs: plain settings and folders in, a folder and a few numbers out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny import CE

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.curriculum.schedule import build_schedule
from clpd_bench.curriculum.streams import Streams
from clpd_bench.distillation.models import load_model
from clpd_bench.errors import Interrupted, UserError
from clpd_bench.jobs.body import Context, Measured, body
from clpd_bench.settings.parts.difficulty import CotTokens
from clpd_bench.settings.parts.loss import ForwardKl, TargetsSettings
from clpd_bench.settings.parts.model import Llama
from clpd_bench.settings.parts.orders import EasyToHard, Shuffled
from clpd_bench.settings.parts.pacings import Blend
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import CorpusSpec, DifficultySpec, ModelSpec, Supervision, TargetsSpec

SHUFFLED = Supervision(loss=CE, order=Shuffled(name="shuffled"))
CLPD = Supervision(
    loss=ForwardKl(name="forward_kl", temperature=2.0),
    order=EasyToHard(name="easy_to_hard"),
    stages=2,
    pacing=Blend(name="blend", strength=0.8),
    teachers=2,
)
SMALL = Llama(name="llama", hidden_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=64)
TRAINING = Training(epochs=2, steps=6, learning_rate=5e-3, micro_batch_tokens=300)


def corpus(out: Path, tokenizer: Any = "characters", **source: Any) -> Path:
    settings = {
        "source": {"name": "chained_sums", "operations": [1, 2], "train": 24, "validation": 6, "test": 6, **source},
        "tokenizer": tokenizer,
        "answer_marker": ":",
        "max_tokens": 40,
    }
    out.mkdir()
    body("corpus")(CorpusSpec.model_validate({"corpus": settings}), {}, out, Context(out))
    return out


def do(kind: Any, spec: Any, inputs: dict[str, Path], out: Path, **context: Any) -> Measured:
    out.mkdir(exist_ok=True)
    return body(kind)(spec, inputs, out, Context(out.with_name(f"{out.name}-checkpoints"), **context))


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Everything that a student of the `clpd` arm has before it."""
    root = tmp_path_factory.mktemp("jobs")
    inputs = {"corpus": corpus(root / "corpus")}
    do("difficulty", DifficultySpec(difficulty=CotTokens(name="cot_tokens")), inputs, root / "difficulty")
    targets = TargetsSpec(targets=TargetsSettings(top_k=6, temperatures=(1.0, 2.0)), batch_tokens=400)
    for m in (1, 2):
        spec = ModelSpec(architecture=SMALL, training=TRAINING, supervision=SHUFFLED, seed=10 + m)
        do("model", spec, inputs, root / f"teacher{m}")
        do("targets", targets, {**inputs, "model": root / f"teacher{m}"}, root / f"targets{m}")
    return {
        **inputs,
        "difficulty": root / "difficulty",
        "targets.1": root / "targets1",
        "targets.2": root / "targets2",
        "teacher": root / "teacher1",
    }


STUDENT = ModelSpec(architecture=SMALL, training=TRAINING, supervision=CLPD, seed=3)


def test_student_consumes_what_its_schedule_says(parents: dict[str, Path], tmp_path: Path) -> None:
    measured = do("model", STUDENT, parents, tmp_path / "student")
    training = json.loads((tmp_path / "student" / "training.json").read_text())
    split = read_split(parents["corpus"], "train")
    difficulty = read_difficulty(parents["difficulty"], "train")
    expected = build_schedule(split.ids, split.tokens, difficulty, CLPD, TRAINING, Streams(3))
    assert training["consumed"] == training["scheduled"] == expected.consumed_hash() == measured.details["consumed"]
    assert training["stage"] == expected.stage.tolist() == [1, 1, 1, 2, 2, 2]
    assert measured.tokens == 2 * split.tokens.sum()
    assert measured.flops > 0
    assert len(training["loss"]) == measured.details["steps"] == 6


def test_interrupted_student_leaves_the_same_files_when_gone_on_with(parents: dict[str, Path], tmp_path: Path) -> None:
    do("model", STUDENT, parents, tmp_path / "whole")
    told: list[int] = []
    with pytest.raises(Interrupted):
        do(
            "model",
            STUDENT,
            parents,
            tmp_path / "first",
            should_stop=lambda: len(told) == 4,
            progress=lambda done, of: told.append(done),
        )
    assert not (tmp_path / "first" / "training.json").exists()
    told.clear()
    do(
        "model",
        STUDENT,
        parents,
        tmp_path / "second",
        earlier=[tmp_path / "first-checkpoints"],
        progress=lambda done, of: told.append(done),
    )
    assert told == [5, 6]
    for name in ("model.safetensors", "training.json", "config.json"):
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("micro_batch_tokens", [1, 10**6])
def test_micro_batch_changes_no_consumed_hash_and_rounding_alone(
    parents: dict[str, Path], tmp_path: Path, micro_batch_tokens: int
) -> None:
    other = STUDENT.model_copy(
        update={"training": TRAINING.model_copy(update={"micro_batch_tokens": micro_batch_tokens})}
    )
    a, b = do("model", STUDENT, parents, tmp_path / "a"), do("model", other, parents, tmp_path / "b")
    assert a.details["consumed"] == b.details["consumed"]
    losses = [json.loads((tmp_path / name / "training.json").read_text())["loss"] for name in "ab"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_each_teacher_has_its_own_stage(parents: dict[str, Path], tmp_path: Path) -> None:
    """Exchanging the second teacher moves no loss of stage 1, and every one behind stage 2's first look."""
    losses = []
    for name, inputs in (("mine", parents), ("other", {**parents, "targets.2": parents["targets.1"]})):
        do("model", STUDENT, inputs, tmp_path / name)
        losses.append(json.loads((tmp_path / name / "training.json").read_text())["loss"])
    same = [a == b for a, b in zip(*losses, strict=True)]
    assert same == [True] * 3 + [False] * 3


def test_model_without_training_is_the_initial_one(parents: dict[str, Path], tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        do("model", ModelSpec(architecture=SMALL, seed=seed), {"corpus": parents["corpus"]}, tmp_path / name)
    a, b, c = (load_file(tmp_path / name / "model.safetensors") for name in "abc")
    assert all(torch.equal(a[n], b[n]) for n in a)
    assert not torch.equal(a["lm_head.weight"], c["lm_head.weight"])


def test_student_starts_from_the_model_it_is_given(parents: dict[str, Path], tmp_path: Path) -> None:
    """Whatever its own seed: that governs the order alone."""
    start = load_model(parents["teacher"])
    for seed in (1, 2):
        spec = ModelSpec(seed=seed)
        do("model", spec, {"corpus": parents["corpus"], "initial": parents["teacher"]}, tmp_path / str(seed))
        mine = load_model(tmp_path / str(seed))
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), start.parameters(), strict=True))


def test_models_of_another_vocabulary_are_refused_by_name_of_a_token(parents: dict[str, Path], tmp_path: Path) -> None:
    other = corpus(tmp_path / "bpe", {"name": "bpe", "vocabulary_size": 270})
    told = r"tokenizer: the {} has another tokenizer than the corpus: 19 tokens against 2\d\d, and '.+' is number"
    with pytest.raises(UserError, match=told.format("teacher")):
        do("targets", TargetsSpec(targets=TargetsSettings()), {"corpus": other, "model": parents["teacher"]}, tmp_path)
    with pytest.raises(UserError, match=told.format("initial model")):
        do("model", ModelSpec(seed=0), {"corpus": other, "initial": parents["teacher"]}, tmp_path)


def test_targets_of_another_corpus_are_refused(parents: dict[str, Path], tmp_path: Path) -> None:
    """Equal sizes and tokenizer, other questions."""
    other = corpus(tmp_path / "corpus", seed=5)
    do(
        "difficulty",
        DifficultySpec(difficulty=CotTokens(name="cot_tokens")),
        {"corpus": other},
        tmp_path / "difficulty",
    )
    inputs = {**parents, "corpus": other, "difficulty": tmp_path / "difficulty"}
    with pytest.raises(ValueError, match="was made on other examples"):
        do("model", STUDENT, inputs, tmp_path / "student")


def test_targets_job_counts_tokens_and_tells_its_progress(parents: dict[str, Path], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    spec = TargetsSpec(targets=TargetsSettings(), batch_tokens=100)
    measured = do(
        "targets",
        spec,
        {"corpus": parents["corpus"], "model": parents["teacher"]},
        tmp_path / "targets",
        progress=lambda done, of: told.append((done, of)),
    )
    assert measured.tokens == read_split(parents["corpus"], "train").tokens.sum()
    assert told[-1] == (24, 24)


def test_a_users_own_loss_pacing_and_teachers_that_say_the_same_train_the_same_student(
    parents: dict[str, Path], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from clpd_bench.distillation.divergences import forward_kl\n"
        "def kl(logits, labels, targets, *, temperature):\n"
        "    return temperature**2 * forward_kl(logits, targets, temperature)\n"
        "def blend(stages, *, strength):\n"
        "    return [[(1 - strength) / stages + strength * (j == k) for j in range(stages)] for k in range(stages)]\n"
        "def in_turn(stage, stages, teachers):\n"
        "    return stage\n"
    )
    own = CLPD.model_validate(
        {
            **CLPD.model_dump(),
            "loss": {"name": f"{mine}:kl", "temperature": 2.0},
            "pacing": {"name": f"{mine}:blend", "strength": 0.8},
            "rule": {"name": f"{mine}:in_turn"},
        }
    )
    do("model", STUDENT, parents, tmp_path / "theirs")
    do("model", STUDENT.model_copy(update={"supervision": own}), parents, tmp_path / "own")
    for name in ("model.safetensors", "training.json"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()
