"""A card says what lm-eval's command line evaluates again, and where its score may be another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clpd_bench.report.card import tasks
from clpd_bench.report.card.card import _evaluating
from clpd_bench.report.card.subject import ExampleText
from clpd_bench.settings.specs import EvaluationSpec

FILES = {"clpd_test.yaml": {"bytes": 9}}


def told(folder: Path, benchmark: dict[str, Any], files: dict[str, Any], parents: dict[str, str]) -> str:
    """What the card has of one evaluation."""
    (folder / "clpd_test.yaml").write_text("task: clpd_test\n")
    spec = EvaluationSpec.model_validate({"benchmark": benchmark, "batch_size": 4, "dtype": "float32"})
    plan: Any = SimpleNamespace(jobs={"key": SimpleNamespace(spec=spec, parents=parents)})
    store: Any = SimpleNamespace(manifest=lambda _: {"files": files}, artifact=lambda _: folder)
    evaluated: Any = SimpleNamespace(evaluations={"mine": "key"})
    return "\n".join(_evaluating(tasks.tasks_of(evaluated, plan, store, folder)))


def test_a_task_of_lm_eval_has_no_files_here(tmp_path: Path) -> None:
    assert (
        told(tmp_path, {"task": "arc_easy"}, {}, {"model": "m"}) == "The task files of `mine` are not in this folder."
    )


@pytest.mark.parametrize(
    ("prompt", "benchmark", "spaced"),
    [
        ("so?\n", {"kind": "choice"}, True),
        ("so?", {"kind": "choice"}, False),
        ("so?\n", {"max_new_tokens": 4, "answer_marker": None}, False),
    ],
)
def test_choices_behind_white_space_are_said_to_be_scored_otherwise(
    prompt: str, benchmark: dict[str, Any], spaced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "example_of", lambda *_: ExampleText(prompt, "", "", False))
    said = told(tmp_path, benchmark, FILES, {"model": "m", "corpus": "c"})
    assert "gives the scores above again" in said
    assert ("white space at the end of a prompt to each choice of `mine`" in said) == spaced
