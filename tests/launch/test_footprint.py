"""The estimate of what will be written, held against what jobs do write."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clpd_bench.costs import footprint as of_footprint
from clpd_bench.costs.dimensions import KnownDimensions
from clpd_bench.costs.footprint import BESIDES, CHECKPOINT, CHECKPOINTS, footprint
from clpd_bench.distillation import checkpoints
from clpd_bench.flops.parameters import parameters
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.prepare import data_keys, make_data
from clpd_bench.launch.worker import work
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
HEADERS = 8192
"""Bytes of names and shapes in a file of tensors this small, at most."""


def planned(*sets: str) -> Plan:
    return build_plan(load_ablation(SMALL, list(sets)), SMALL)


def labelled(plan: Plan, label: str) -> str:
    return next(key for key, job in plan.jobs.items() if job.label == label)


@pytest.mark.parametrize("top_k", ["null", "3"])
def test_models_and_targets_are_as_large_as_estimated(tmp_path: Path, top_k: str) -> None:
    plan = planned("models.small.initial.hidden_size=64", f"targets.top_k={top_k}", "targets.temperatures=[1, 2]")
    store = Store(tmp_path / "store")
    teacher, targets = labelled(plan, "model small"), labelled(plan, "targets of small on sums")
    make_data(plan, store)
    estimated = {key: footprint(plan, {key}, store, at_once=0).bytes - BESIDES for key in (teacher, targets)}
    work(plan, store, [teacher, targets], lambda: False)
    for key, name, header in ((teacher, "model.safetensors", HEADERS), (targets, "*.npy", 4 * 128)):
        written = sum(file.stat().st_size for file in store.artifact(key).glob(name))
        assert 0 <= written - estimated[key] <= header, name
        everything = sum(file.stat().st_size for file in store.artifact(key).rglob("*"))
        assert everything <= estimated[key] + BESIDES
        folders = (store.artifact(key), store.root / "attempts" / key)
        assert sum(1 for folder in folders for _ in folder.rglob("*")) + 2 <= footprint(plan, {key}, store).files


def test_the_models_of_best_looks_are_counted_while_they_are_kept(tmp_path: Path) -> None:
    """That so far, that of the newest checkpoint, and one while it is written."""
    bytes_ = {}
    for checkpoint in ("last", "{name: best_validation, metric: response_loss, every: 1}"):
        plan = planned(f"models.small.training.checkpoint={checkpoint}")
        store = Store(tmp_path / str(len(checkpoint)))
        make_data(plan, store)
        bytes_[checkpoint] = footprint(plan, {labelled(plan, "model small")}, store, at_once=0).bytes - BESIDES
    last, best = bytes_.values()
    assert best == 4 * last


def test_a_checkpoint_is_as_large_as_estimated(tmp_path: Path) -> None:
    model = torch.nn.Linear(300, 100)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 300)).sum().backward()
    optimizer.step()
    place = checkpoints.save(tmp_path, 1, dict(model.named_parameters()), optimizer, {})
    files = list(place.iterdir())
    size = sum(file.stat().st_size for file in files)
    assert 0 <= size - CHECKPOINT * 30100 <= HEADERS
    assert len(files) <= of_footprint.CHECKPOINT_FILES
    assert checkpoints.KEEP + 1 == CHECKPOINTS


def test_checkpoints_are_counted_for_the_largest_that_run_at_a_time(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path / "store")
    make_data(plan, store)
    models = [key for key, job in plan.jobs.items() if job.kind == "model"]

    def of_checkpoints(at_once: int | None) -> int:
        return footprint(plan, set(models), store, at_once).bytes - footprint(plan, set(models), store, 0).bytes

    d = KnownDimensions(plan, store).of(labelled(plan, "model large"))
    assert d
    large = parameters(d).total
    assert of_checkpoints(1) == CHECKPOINTS * CHECKPOINT * large
    assert of_checkpoints(1) < of_checkpoints(2) < of_checkpoints(None)


def test_a_student_is_as_large_as_the_model_that_it_starts_from(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path / "store")
    make_data(plan, store)
    student = next(key for key, job in plan.jobs.items() if job.label.startswith("student"))
    start = plan.jobs[student].parents["initial"]
    both = [footprint(plan, {key}, store, at_once=0).bytes for key in (student, start)]
    assert both[0] == both[1] > BESIDES


def test_only_what_is_to_do_is_counted(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path / "store")
    make_data(plan, store)
    assert vars(footprint(plan, set(), store)) == {"bytes": 0, "files": 0, "unknown": [], "checkpoints": 0}


def test_what_an_unmade_corpus_leaves_open_is_named(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path / "store")
    assert "model small" in footprint(plan, set(plan.jobs), store).unknown
    make_data(plan, store)
    assert footprint(plan, set(plan.jobs) - set(data_keys(plan)), store).unknown == []


def test_an_evaluation_is_as_large_as_the_split_that_it_is_of(tmp_path: Path) -> None:
    plan, store = planned("corpora.sums.source.validation=30"), Store(tmp_path / "store")
    make_data(plan, store)
    labels = ("validation of teacher small on sums", "evaluation teacher small on sums")
    validated, tested = (footprint(plan, {labelled(plan, label)}, store).bytes - BESIDES for label in labels)
    assert (validated, tested) == (30 * of_footprint.ITEM, 12 * of_footprint.ITEM)
