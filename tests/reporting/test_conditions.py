"""What the seeds vary, and what models share, is said as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan
from clpd_bench.report.conditions import conditions
from clpd_bench.store import Store

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
FRESH = "initial: {name: llama, hidden_size: 8, num_attention_heads: 2, max_position_embeddings: 64}\n  corpus: sums"
START = (
    "  start:\n    initial: {name: llama, hidden_size: 8, num_attention_heads: 2, max_position_embeddings: 64}\n"
    "    corpus: many\n    training: {steps: 3, learning_rate: 1e-3}\n"
)


class Manifests(Store):
    """A store in which every job has the same manifest."""

    def __init__(self, folder: Path, details: dict[str, object]) -> None:
        super().__init__(folder)
        self._details = details

    def manifest(self, key: str) -> dict[str, object]:
        return {"details": self._details}


def said(tmp_path: Path, *changes: tuple[str, str], details: dict[str, object] | None = None) -> str:
    file = Path(shutil.copy(SMALL, tmp_path / "small.yaml"))
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    ablation = load_ablation(file)
    return " ".join(conditions(ablation, build_plan(ablation, file), Manifests(tmp_path / "store", details or {})))


WITH_START = (("teachers: [small", f"{START}teachers: [small"), (FRESH, "initial: start\n  corpus: sums"))


def test_seeds_vary_the_order_alone_where_all_start_from_one_model(tmp_path: Path) -> None:
    text = said(tmp_path, *WITH_START)
    assert "The seeds vary the order of the data alone; " in text
    assert "one pretrained student (start)" in text


@pytest.mark.parametrize(
    ("changes", "details", "varied"),
    [
        ((), {}, "the student's initial weights and the order of the data;"),
        (WITH_START, {"dropout": True}, "the order of the data and dropout;"),
        (
            (*WITH_START, ("seeds: [0, 1]", "  c: {order: shuffled, teachers: random}\nseeds: [0, 1]")),
            {},
            "the order of the data and what c draws at random;",
        ),
        (
            (*WITH_START, ("seeds: [0, 1]", "  c: {order: random_stages, teachers: strongest}\nseeds: [0, 1]")),
            {},
            "the order of the data and what c draws at random;",
        ),
    ],
    ids=["fresh weights", "dropout", "random teachers", "random stages"],
)
def test_all_that_the_seeds_vary_is_said(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], details: dict[str, object], varied: str
) -> None:
    assert f"The seeds vary {varied}" in said(tmp_path, *changes, details=details)


def test_what_teachers_share_with_the_start_is_named(tmp_path: Path) -> None:
    text = said(tmp_path, *WITH_START)
    assert "small, large: the training data many, each in an order of its own." in text
    of_the_teacher = said(
        tmp_path,
        WITH_START[0],
        (FRESH, "initial: {name: model, model: small}\n  corpus: sums"),
    )
    assert "small: the very model; large: the training data many" in of_the_teacher
    assert "What teachers share" not in said(tmp_path)
