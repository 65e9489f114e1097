"""An exported model is the model, its card tells the truth, and a failed export leaves nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import Result
from huggingface_hub import ModelCard
from in_process import jobs_in_process, lm_eval
from markdown_it import MarkdownIt
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.plan.plan import Job, Plan
from clpd_bench.report import export as exporting
from clpd_bench.report.card.card import metadata
from clpd_bench.report.card.subject import subject_of
from clpd_bench.report.card.trained import start_text
from clpd_bench.store import Store

FILE = Path(__file__).parent / "export.yaml"
ARM = "*clpd* | `x` <i>"
TEACHERS = ("s_m_all [x](y)", "large `b|c` <b>")
BENCHMARK = "su ms"


def said(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two arms at two seeds, all done."""
    root = tmp_path_factory.mktemp("ablation") / "store"
    with jobs_in_process():
        done = said("run", FILE, "--store", root)
    assert done.exit_code == 0, done.output
    return root


@pytest.fixture(scope="module")
def exported(store: Path) -> Path:
    """The clpd student at seed 1, in a folder beside the store."""
    folder = store.parent / "student"
    done = said("export", f"{ARM}/1", folder, "--store", store)
    assert done.exit_code == 0, done.output
    return folder


def shown(name: str, store: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said("show", name, "--store", store).stdout)
    return found


def card(folder: Path) -> str:
    return (folder / "README.md").read_text()


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block, as CommonMark reads the card."""
    return [(t.info, t.content) for t in MarkdownIt().enable("table").parse(text) if t.type == "fence"]


def rows(text: str) -> list[list[str]]:
    """Cells of the card's table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_exported_folder_loads_and_gives_the_logits_of_the_artifact(exported: Path, store: Path) -> None:
    artifact = shown(f"{ARM}/1", store)["folder"]
    tokens = AutoTokenizer.from_pretrained(exported)("3+4?3+", return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        mine, its = (AutoModelForCausalLM.from_pretrained(one)(**tokens).logits for one in (exported, artifact))
    assert torch.equal(mine, its)


def test_only_what_libraries_read_is_exported(exported: Path) -> None:
    names = set(files(exported))
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert names.isdisjoint({"manifest.json", "training.json"})
    assert {n for n in names if "/" in n} == {
        f"evaluation/su_ms/{f}" for f in ("clpd_test.yaml", "documents.parquet", "scoring.py")
    }


def test_exported_files_are_nobody_elses(exported: Path, store: Path) -> None:
    key = shown(f"{ARM}/1", store)["key"]
    assert all(path.stat().st_nlink == 1 and not path.is_symlink() for path in exported.rglob("*") if path.is_file())
    assert Store(store).verify(key) == []


def test_the_cards_lm_eval_command_gives_the_cards_score(exported: Path, store: Path, tmp_path: Path) -> None:
    (command,) = (text for language, text in blocks(card(exported)) if language == "sh")
    where, words = typed_into_bash(command, exported, tmp_path)
    lm_eval(*words, "--log_samples", f"--output_path={tmp_path}", folder=where, cache=tmp_path / "cache")
    (samples,) = tmp_path.rglob("samples_clpd_test*.jsonl")
    theirs = {s["doc"]["id"]: s["exact_match"] for s in map(json.loads, samples.read_text().splitlines())}
    items = own_items(store, f"{ARM}/1", "exact_match")
    assert theirs == dict(zip(items["item"], items["score"], strict=True))
    assert rows(card(exported))[0][1] == f"{100 * np.mean(list(theirs.values())):.0f}"


def typed_into_bash(command: str, folder: Path, beside: Path) -> tuple[Path, list[str]]:
    """In which folder, and with which words, a shell in `folder` starts the `lm_eval` of a command."""
    told = beside / "lm_eval"
    told.write_text('#!/bin/sh\nprintf \'%s\\0\' "$PWD" "$@"\n')
    told.chmod(0o755)
    environment = {"PATH": f"{beside}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, check=True)
    where, *words = done.stdout.decode().split("\0")[:-1]
    return Path(where), words


def own_items(store: Path, cell: str, metric: str) -> pd.DataFrame:
    key = shown(cell, store)["evaluations"][BENCHMARK]
    items = pd.read_parquet(store / "artifacts" / key / "items.parquet")
    return items[items["metric"] == metric]


def test_scores_and_intervals_are_those_of_the_items(exported: Path, store: Path) -> None:
    accuracy, loss = rows(card(exported))
    for row, metric, scale in ((accuracy, "exact_match", 100), (loss, "response_loss", 1)):
        scores = own_items(store, f"{ARM}/1", metric)["score"].to_numpy()
        if metric == "exact_match":
            interval = stats.binomtest(int(scores.sum()), len(scores)).proportion_ci(method="wilson")
        else:
            interval = stats.t.interval(0.95, len(scores) - 1, scores.mean(), stats.sem(scores))
        means = np.array([own_items(store, f"{ARM}/{seed}", metric)["score"].mean() for seed in (0, 1)])
        over_seeds = stats.t.interval(0.95, 1, means.mean(), stats.sem(means)) if means.std() else ()
        assert ("the same at every seed" in row) is (over_seeds == ())
        wanted = [scores.mean(), *interval, means.mean(), means.std(ddof=1), *over_seeds, 2 / scale]
        told = [float(number) for cell in row[1:] for number in re.findall(r"-?[\d.]+", cell)]
        places = [len(number.partition(".")[2]) for cell in row[1:] for number in re.findall(r"-?[\d.]+", cell)]
        for number, value, decimals in zip(told, wanted, places, strict=True):
            assert abs(number - scale * value) <= 0.5 * 10.0**-decimals + 1e-9, (row, wanted)


def test_names_keep_their_letters_in_markdown(exported: Path) -> None:
    tokens = MarkdownIt().enable("table").parse(card(exported).split("---\n", 2)[2])
    inline = [child for token in tokens for child in token.children or ()]
    spans = [child.content for child in inline if child.type == "code_inline"]
    assert {ARM, *TEACHERS, "su|ms*"} <= set(spans)
    prose = "".join(child.content for child in inline if child.type == "text")
    assert {child.type for child in inline}.isdisjoint({"html_inline", "link_open", "em_open"})
    assert not any(name in prose for name in (ARM, *TEACHERS))


def test_the_card_says_what_made_the_model(exported: Path, store: Path) -> None:
    text, student = card(exported), shown(f"{ARM}/1", store)
    assert ModelCard(text).data.to_dict() == {
        "library_name": "transformers", "pipeline_tag": "text-generation", "license": "unknown",
        "tags": ["clpd_bench", "knowledge-distillation"],
    }  # fmt: skip
    places = [text.index(fact) for fact in (f"1. `{TEACHERS[0]}`", f"2. ``{TEACHERS[1]}``", "temperature=2.0")]
    assert places == sorted(places)
    for fact in ("seed 1", "easy_to_hard", "blend(strength=0.6)", "40 steps", student["key"], "clpd run export.yaml"):
        assert fact in text
    assert "<end>" in text
    assert str(store.parent) not in text, "where things lie on this machine"


def test_a_teacher_is_exported_by_its_key(store: Path, tmp_path: Path) -> None:
    targets = shown("kd/0", store)["parents"]["targets.1"]["key"]
    key = shown(targets, store)["parents"]["model"]["key"]
    done = said("export", key[:10], tmp_path / "teacher", "--store", store, "--json")
    told = json.loads(done.stdout)
    assert (told["key"], told["files"]) == (key, sorted(files(tmp_path / "teacher")))
    text = card(tmp_path / "teacher")
    assert f"\n# `export`: model ``{TEACHERS[1]}``\n" in text
    assert "over seeds" not in text


def refused(folder: Path, *words: str | Path) -> str:
    """What an export says that is refused, and leaves everything around its folder as it was."""
    before = files(folder.parent)
    done = said("export", *words)
    assert done.exit_code != 0
    assert files(folder.parent) == before
    return str(done.exception)


@pytest.fixture
def broken(store: Path) -> Iterator[Any]:
    """Changes a file of an artifact, until the end of the test."""
    changed: dict[Path, bytes] = {}

    def change(file: Path) -> None:
        changed[file] = file.read_bytes()
        file.write_bytes(changed[file][:-1] + b"\0")

    yield change
    for file, content in changed.items():
        file.write_bytes(content)


def test_an_export_is_a_look_at_the_scores_of_its_arm(exported: Path, store: Path) -> None:
    keys = {shown(f"{ARM}/{seed}", store)["evaluations"][BENCHMARK] for seed in (0, 1)}
    assert [one.kind for one in Store(store).register() if one.content.keys() == keys] == ["look"]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "items.parquet"])
def test_a_damaged_artifact_is_not_exported(store: Path, broken: Any, tmp_path: Path, name: str) -> None:
    found = shown("kd/1", store)
    key = found["evaluations"][BENCHMARK] if name == "items.parquet" else found["key"]
    broken(store / "artifacts" / key / name)
    message = refused(tmp_path / "out", "kd/1", tmp_path / "out", "--store", store)
    assert "clpd store verify" in message
    assert name in message


def test_a_folder_with_something_in_it_is_left_alone(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    assert str(tmp_path / "mine") in refused(tmp_path / "mine", "kd/0", tmp_path / "mine", "--store", store)
    assert "no folder" in refused(tmp_path / "mine", "kd/0", tmp_path / "mine/notes.txt", "--store", store)
    assert "in the store" in refused(store / "mine", "kd/0", store / "mine", "--store", store)


def test_an_empty_folder_is_filled(store: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert said("export", "kd/0", tmp_path / "empty", "--store", store).exit_code == 0
    assert (tmp_path / "empty" / "config.json").is_file()


def test_an_interrupted_export_leaves_nothing(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> str:
        assert not (tmp_path / "out").exists(), "it appears whole"
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "model_card", interrupted)
    done = said("export", "kd/0", tmp_path / "out", "--store", store)
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_finished_says_its_state_and_what_to_type(small: Path, tmp_path: Path) -> None:
    said("plan", small, "--store", tmp_path / "s")
    message = refused(tmp_path / "out", "clpd/0", tmp_path / "out", "--store", tmp_path / "s")
    assert "pending" in message
    assert f"clpd run {small}" in message


def test_what_is_no_model_is_not_exported(store: Path, tmp_path: Path) -> None:
    corpus = shown("kd/0", store)["parents"]["corpus"]["key"]
    assert "corpus" in refused(tmp_path / "out", corpus, tmp_path / "out", "--store", store)


def test_pretrained_hub_models_and_data_sets_are_named_for_the_hub() -> None:
    """As the hub's own fields; and layers left out, and checkpoints, are told."""
    weights = {"source": {"name": "hub", "model": "org/tiny", "revision": "a" * 40}}
    data = {"source": {"name": "hub", "dataset": "org/sums"}}
    jobs = {
        "corpus": job("corpus", {"corpus": data}, {}),
        "root": job("root", {"start": weights, "seed": 0}, {}),
        "cut": job("cut", {"keep_layers": {"name": "every", "n": 2}, "seed": 0}, {"initial": "root"}),
        "student": job("student", {"training": {}, "seed": 1}, {"initial": "cut", "corpus": "corpus"}),
    }
    plan = Plan("x", "x.yaml", jobs, [], [], {"sums": "corpus"}, {}, {})
    subject = subject_of("student", plan, jobs["student"])
    assert start_text(subject.line) == (
        f"pretrained weights, `org/tiny` at revision `{'a' * 40}` (hub); of these the layers that `every(n=2)` keeps"
    )
    fields = metadata(subject)
    assert (fields["base_model"], fields["datasets"]) == ("org/tiny", ["org/sums"])


def job(key: str, settings: dict[str, Any], parents: dict[str, str]) -> Job:
    spec: Any = SimpleNamespace(model_dump=lambda **_: settings)
    return Job(key, "model", key, spec, parents)
