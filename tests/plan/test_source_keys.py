"""What of a source's files stands in the corpus's key: their bytes or the hub's revision, and not where they lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.plan.build import build_plan

REVISIONS = "a" * 40, "b" * 40


def key(small: Path, source: str, *more: str) -> str:
    plan = build_plan(load_ablation(small, [f"corpora.sums.source={source}", *more]), small)
    return plan.corpora["sums"]


@pytest.fixture
def svamp(small: Path) -> Path:
    rows = [{"Body": f"Body {i}.", "Question": "And?", "Equation": "1.0", "Answer": 1.0} for i in range(9)]
    file = small.parent / "svamp.json"
    file.write_text(json.dumps(rows))
    return file


def test_a_published_files_bytes_are_in_the_key_and_its_place_is_not(small: Path, svamp: Path) -> None:
    before = key(small, "{name: svamp, file: svamp.json}")
    (small.parent / "elsewhere").mkdir()
    shutil.copy(svamp, small.parent / "elsewhere" / "other.json")
    assert key(small, "{name: svamp, file: elsewhere/other.json}") == before
    svamp.write_text(svamp.read_text() + "\n")
    assert key(small, "{name: svamp, file: svamp.json}") != before


def test_the_hubs_revision_data_set_and_files_are_in_the_key(small: Path) -> None:
    sources = [
        *(f"{{name: gsm8k, revision: {revision}}}" for revision in REVISIONS),
        f"{{name: gsm8k, revision: {REVISIONS[0]}, dataset: mirror/gsm8k}}",
        f"{{name: gsm8k, revision: {REVISIONS[0]}, calculator: true}}",
        *(
            f"{{name: hub, dataset: a/b, revision: {REVISIONS[0]}, train: {train}, test: t.json, rationale: r}}"
            for train in ("x.json", "y.json")
        ),
    ]
    assert len({key(small, source) for source in sources}) == len(sources)


@pytest.mark.parametrize("setting", ["shots=2", "prompt='Q {question}'", "response_start=' '"])
def test_the_form_of_the_prompt_is_in_the_key(small: Path, setting: str) -> None:
    source = f"{{name: gsm8k, revision: {REVISIONS[0]}}}"
    bare = ("corpora.sums.prompt='{question}'", "corpora.sums.response_start=''")
    assert key(small, source, *bare, f"corpora.sums.{setting}") != key(small, source, *bare)


def test_a_published_file_that_is_not_there_is_told_by_its_key(small: Path) -> None:
    with pytest.raises(UserError, match=r"corpora\.sums\.source\.file: there is no file"):
        load_ablation(small, ["corpora.sums.source={name: svamp, file: nowhere.json}"])
