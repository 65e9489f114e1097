"""Data sets of the hub out of its cache: the same examples as from local files, whichever form they lie in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants
from pydantic import TypeAdapter

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sources import examples
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import Source

REVISION = "0123456789abcdef0123456789abcdef01234567"
Rows = list[dict[str, Any]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that nothing is fetched into."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def put(cache: Path, dataset: str, files: dict[str, Rows]) -> None:
    for path, rows in files.items():
        file = cache / f"datasets--{dataset.replace('/', '--')}" / "snapshots" / REVISION / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(rows), file)
        else:
            file.write_text(json.dumps(rows))


def made(source: dict[str, Any]) -> dict[str, list[Example]]:
    return examples(TypeAdapter[Any](Source).validate_python(source))[0]


def ids(source: dict[str, Any]) -> dict[str, list[str]]:
    return {split: sorted(example_ids(part)) for split, part in made(source).items()}


def local(tmp_path: Path, **parts: Rows) -> dict[str, str]:
    for name, rows in parts.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {name: str(tmp_path / f"{name}.jsonl") for name in parts}


def gsm8k(start: int, stop: int) -> Rows:
    return [
        {"question": f"What of {i}?", "answer": f"It is <<{i}=1>>1,{i:03d}.\n#### 1,{i:03d}"}
        for i in range(start, stop)
    ]


def test_gsm8k_of_the_hub_is_the_local_one(tmp_path: Path, cache: Path) -> None:
    train, test = gsm8k(0, 60), gsm8k(100, 110)
    shards = {"main/train-00000-of-00002.parquet": train[:30], "main/train-00001-of-00002.parquet": train[30:]}
    other = {"socratic/train-00000-of-00001.parquet": gsm8k(200, 210)}
    put(cache, "openai/gsm8k", {**shards, **other, "main/test-00000-of-00001.parquet": test})
    hub = ids({"name": "gsm8k", "revision": REVISION})
    assert hub == ids({"name": "gsm8k", **local(tmp_path, train=train, test=test)})


def test_svamp_of_the_hub_is_the_local_one(tmp_path: Path, cache: Path) -> None:
    rows = [
        {
            "ID": f"chal-{i}",
            "Body": f"Anna has {i} pears",
            "Question": "And?",
            "Equation": f"( {i}.0 + 1.0 )",
            "Answer": f"{i + 1}.0",
        }
        for i in range(60)
    ]
    put(
        cache,
        "ChilleD/SVAMP",
        {"data/train-00000-of-00001-ab.parquet": rows[:42], "data/test-00000-of-00001-cd.parquet": rows[42:]},
    )
    (tmp_path / "svamp.json").write_text(json.dumps([row | {"Answer": float(row["Answer"])} for row in rows]))
    hub = ids({"name": "svamp", "revision": REVISION})
    assert hub == ids({"name": "svamp", "file": str(tmp_path / "svamp.json")})


def test_commonsense_qa_of_the_hub_is_the_local_one(tmp_path: Path, cache: Path) -> None:
    def published(i: int) -> dict[str, Any]:
        choices = [{"label": label, "text": f"place {label}{i}"} for label in "ABCDE"]
        return {"answerKey": "D", "id": f"{i}", "question": {"stem": f"Where is {i}?", "choices": choices}}

    def of_hub(i: int) -> dict[str, Any]:
        choices = {"label": list("ABCDE"), "text": [f"place {label}{i}" for label in "ABCDE"]}
        return {
            "id": f"{i}",
            "question": f"Where is {i}?",
            "question_concept": "x",
            "choices": choices,
            "answerKey": "D",
        }

    parts = {"train": range(60), "validation": range(100, 110)}
    put(
        cache,
        "tau/commonsense_qa",
        {f"data/{part}-00000-of-00001.parquet": [of_hub(i) for i in r] for part, r in parts.items()},
    )
    hub = {"name": "commonsense_qa", "revision": REVISION}
    files = local(tmp_path, **{part: [published(i) for i in r] for part, r in parts.items()})
    ours = {"name": "commonsense_qa", "train": files["train"], "test": files["validation"]}
    assert ids(hub) == ids(ours)
    assert [(e.choices, e.label) for e in made(hub)["test"]] == [(e.choices, e.label) for e in made(ours)["test"]]


FIELDS = {"question": "q.text", "rationale": "why", "answer": "a"}
MADE: dict[str, Rows] = {
    part: [{"q": {"text": f"What is {i}?"}, "why": "since", "a": i, "hops": i % 3} for i in range(start, start + 60)]
    for part, start in (("train", 0), ("test", 100))
}


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_rows_of_any_data_set_are_read_by_the_names_of_their_fields(tmp_path: Path, cache: Path, form: str) -> None:
    put(cache, "someone/sums", {f"{part}.{form}": rows for part, rows in MADE.items()})
    where = {"dataset": "someone/sums", "revision": REVISION, "train": f"train.{form}", "test": f"test.{form}"}
    hub = {"name": "hub", **where, **FIELDS, "columns": ["hops"], "limit": {"train": 9}}
    ours = {"name": "jsonl", **local(tmp_path, **MADE), **FIELDS, "columns": ["hops"], "limit": {"train": 9}}
    assert ids(hub) == ids(ours)
    assert {e.question: e.columns for e in made(hub)["test"]} == {e.question: e.columns for e in made(ours)["test"]}


def source(**changed: Any) -> dict[str, Any]:
    where = {"dataset": "someone/sums", "revision": REVISION, "train": "train.parquet", "test": "test.parquet"}
    return {"name": "hub", **where, **FIELDS, **changed}


def test_a_wrong_field_is_told_with_those_of_the_file(cache: Path) -> None:
    put(cache, "someone/sums", {f"{part}.parquet": rows for part, rows in MADE.items()})
    with pytest.raises(UserError, match=r"train\.parquet:1: this row has no field 'wy'.*Did you mean 'why'") as caught:
        made(source(rationale="wy"))
    assert caught.value.allowed == ["q", "why", "a", "hops"]


def test_a_revision_that_is_not_in_the_cache_is_told_with_the_remedy(cache: Path) -> None:
    put(cache, "someone/sums", {f"{part}.parquet": rows for part, rows in MADE.items()})
    with pytest.raises(
        UserError, match=rf"someone/sums at revision {'f' * 40} is not in the hub's cache.*HF_HUB_CACHE"
    ):
        made(source(revision="f" * 40))


def test_a_file_that_is_not_in_the_cache_is_told_with_those_that_are(cache: Path) -> None:
    put(cache, "someone/sums", {f"{part}.parquet": rows for part, rows in MADE.items()})
    with pytest.raises(UserError, match=r"source\.test: .* has no file tests\.parquet.*Did you mean 'test\.parquet'"):
        made(source(test="tests.parquet"))


def test_a_damaged_table_is_told_with_its_file(cache: Path) -> None:
    put(cache, "someone/sums", {f"{part}.parquet": rows for part, rows in MADE.items()})
    file = cache / "datasets--someone--sums" / "snapshots" / REVISION / "test.parquet"
    file.write_bytes(b"PAR1 half")
    with pytest.raises(UserError, match=r"test\.parquet: cannot be read"):
        made(source())
