"""What a manifest says that a job took is what its plan says that it takes, and what can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from clpd_bench.corpus.reader import Ragged, Split, read_split
from clpd_bench.costs.cost import JobCost
from clpd_bench.costs.evaluations import generated
from clpd_bench.costs.inputs import Sources
from clpd_bench.costs.jobs import job_costs
from clpd_bench.distillation import live
from clpd_bench.distillation.batches import micro_batches
from clpd_bench.distillation.spent_flops import scoring_flops, size_of
from clpd_bench.flops.passes import forward, total, training
from clpd_bench.flops.tokens import Read, read_by_teachers
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import make_data
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
LOSS_ALONE = "evaluation.benchmarks.sums={corpus: sums}"
BY_LOSS = "curriculum.difficulty=student_loss:small"
ROW_BY_ROW = "models.small.training={steps: 4, learning_rate: 0.001, micro_batch_tokens: 1}"
NEW = 24
VOCABULARY = 40
LABEL = "evaluation teacher small on sums"
HALF = "models.half={initial: small, keep_layers: {name: cosine, layers: 1, corpus: sums, examples: 5}}"


def planned(folder: Path, *sets: str) -> tuple[Plan, Store]:
    plan, store = build_plan(load_ablation(SMALL, [*sets]), SMALL), Store(folder / "s")
    make_data(plan, store)
    return plan, store


def run(plan: Plan, store: Store, *labels: str) -> dict[str, tuple[Job, dict[str, Any], JobCost]]:
    """(job, its manifest, what the plan says of it), by label: jobs of these labels and what they need."""
    wanted = [job.key for job in plan.jobs.values() if job.label in labels]
    assert len(wanted) == len(labels)
    mine = {key: plan.jobs[key] for last in wanted for key in (*plan.ancestors(last), last)}
    work(plan, store, [*mine], lambda: False)
    costs = job_costs(Sources(plan, store))
    out = {}
    for key, job in mine.items():
        manifest = store.manifest(key)
        assert manifest is not None, job.label
        out[job.label] = job, manifest, costs[key]
    return out


@pytest.mark.parametrize("teaching", ["targets={live: false}", "targets={live: true}"])
def test_every_job_takes_what_its_plan_says_to_the_last_digit(tmp_path: Path, teaching: str) -> None:
    plan, store = planned(
        tmp_path,
        LOSS_ALONE,
        BY_LOSS,
        teaching,
        ROW_BY_ROW,
        "teachers=[half, large]",
        "student.training.micro_batch_tokens=90",
        HALF,
    )
    jobs = run(plan, store, "evaluation clpd/0 on sums", "evaluation sft/0 on sums")
    assert jobs["layers of half"][1]["flops"] > 0
    assert {label: manifest["flops"] for label, (_, manifest, _) in jobs.items()} == {
        label: cost.total for label, (_, _, cost) in jobs.items()
    }
    kinds = {job.kind for job, manifest, _ in jobs.values() if manifest["flops"]}
    assert kinds == {"model", "difficulty", "evaluation"} | ({"targets"} if teaching.endswith("false}") else set())


def test_what_is_known_before_anything_is_trained_is_what_is_spent(tmp_path: Path) -> None:
    plan, store = planned(tmp_path, LOSS_ALONE)
    before = job_costs(Sources(plan, store))
    jobs = run(plan, store, "evaluation clpd/0 on sums")
    assert {label: manifest["flops"] for label, (_, manifest, _) in jobs.items()} == {
        label: before[job.key].total for label, (job, _, _) in jobs.items()
    }


def test_a_trained_model_by_hand(tmp_path: Path) -> None:
    """Each row is a micro-batch of its own; hidden 8, 1 layer, 32 inside the MLP."""
    plan, store = planned(tmp_path, LOSS_ALONE, ROW_BY_ROW)
    key = next(job.key for job in plan.jobs.values() if job.label == "model small")
    corpus = plan.jobs[key].parents["corpus"]
    work(plan, store, [corpus, key], lambda: False)
    manifest, found = store.manifest(key), store.artifact(corpus)
    train, validation = read_split(found, "train"), read_split(found, "validation")
    layers = plan.jobs[key].spec.architecture.num_hidden_layers  # type: ignore[union-attr]
    vocabulary = Sources(plan, store).dimensions.vocabulary(corpus)
    assert manifest
    assert vocabulary
    weights = layers * (4 * 8 * 8 + 3 * 8 * 32)

    def once(split: Split) -> int:
        width = split.tokens - 1
        head = vocabulary * 8 * int(split.responses.lengths.sum())
        return 2 * weights * int(width.sum()) + 4 * layers * 8 * int((width**2).sum()) + 2 * head

    looks = 2
    assert manifest["details"]["steps"] == 4
    assert manifest["flops"] == 3 * once(train) + looks * once(validation)


def test_of_generation_what_was_really_generated_is_counted(tmp_path: Path) -> None:
    """A model that is hardly trained ends no output, so each batch writes as much as it may; the plan, which takes
    outputs to be as long as responses, differs by that alone."""
    plan, store = planned(tmp_path)
    job, manifest, cost = run(plan, store, LABEL)[LABEL]
    texts = Sources(plan, store).corpora.texts(job.parents["corpus"], "test")
    d = Sources(plan, store).dimensions.of(job.parents["model"])
    assert texts
    assert d
    planned_answers = sum(term.value for term in cost.flops if term.what.startswith("generated tokens"))
    texts.responses[:] = NEW
    _, answers = generated(texts, NEW, job.spec.batch_size)  # type: ignore[union-attr]
    written = total(forward(d, d.vocab_size, answers, ""))
    assert written > planned_answers
    assert cost.total is not None
    assert manifest["flops"] == cost.total - planned_answers + written


def ragged(lengths: list[int]) -> Ragged:
    values = np.random.default_rng(0).integers(3, VOCABULARY, sum(lengths)).astype(np.int32)
    return Ragged(values, np.cumsum([0, *lengths]))


def a_split() -> Split:
    lengths = [(3, 5), (7, 2), (2, 9), (8, 8), (1, 2)]
    prompts, responses = ([pair[i] for pair in lengths] for i in (0, 1))
    return Split(np.array([f"e{i}" for i in range(5)]), ragged(prompts), ragged(responses), None)


def test_a_live_teacher_reads_its_rows_as_wide_as_the_student_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two teachers within each micro-batch, and one row that nobody teaches."""
    split, teachers, seen = a_split(), np.array([1, 2, 2, 1, 0]), {1: Read(), 2: Read()}
    config = AutoConfig.for_model(
        "llama", vocab_size=VOCABULARY, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2
    )
    teacher = live.LiveTeacher(AutoModelForCausalLM.from_config(config), VOCABULARY, 1.0)
    really = live.hidden_states
    shapes: list[tuple[int, int]] = []

    def recorded(model: Any, ids: torch.Tensor) -> torch.Tensor:
        shapes.append((ids.shape[0], ids.shape[1]))
        return really(model, ids)

    monkeypatch.setattr(live, "hidden_states", recorded)
    for batch in micro_batches(split, np.arange(5), 40, 0, torch.device("cpu")):
        by_row = torch.from_numpy(teachers[batch.places])
        for m in sorted({*by_row.tolist()} - {0}):
            teacher.rows_of(batch, by_row == m)
            rows, width = shapes.pop()
            seen[m] += Read(rows * width, rows * width**2, int((by_row == m)[batch.row].sum()))
    assert read_by_teachers(split.tokens, split.responses.lengths, [(np.arange(5), teachers)], 40) == seen


def test_an_unknown_architecture_counts_two_a_parameter_and_token() -> None:
    config = AutoConfig.for_model("gpt2", vocab_size=VOCABULARY, n_embd=8, n_layer=1, n_head=2, n_positions=64)
    model, split = AutoModelForCausalLM.from_config(config), a_split()
    assert size_of(model) == model.num_parameters()
    tokens = int((split.tokens - 1).sum())
    assert scoring_flops(model, [split], 1, VOCABULARY) == 2 * model.num_parameters() * tokens
    read = Read(tokens, 1, 1)
    assert total(training(model.num_parameters(), VOCABULARY, read, "", False, False)) == 6 * size_of(model) * tokens  # type: ignore[operator]


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "qwen3", "gemma3_text"])
def test_a_models_own_configuration_says_how_many_parameters_it_has(family: str) -> None:
    from clpd_bench.flops.parameters import parameters
    from clpd_bench.settings.parts.dimensions import Dimensions

    shape = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(family, vocab_size=VOCABULARY, num_key_value_heads=2, head_dim=8, **shape)
    )
    found = size_of(model)
    assert isinstance(found, Dimensions)
    assert parameters(found).total == model.num_parameters()
