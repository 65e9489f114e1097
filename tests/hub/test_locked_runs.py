"""Lock, fetch, run without a network: pinned runs stay what they were, whatever the hub does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from desk import GSM8K, MODEL, Desk, ablation, gsm8k, told
from server import Files, Running


def test_what_was_fetched_runs_where_there_is_no_hub(desk: Desk, hub: Running, weights: Callable[[int], Files]) -> None:
    desk.clpd_apart("lock", "a.yaml", "--fetch")
    assert "ready" in desk.clpd("lock", "a.yaml", "--check").stdout
    assert not any("socratic" in str(file) for file in desk.snapshots), "a configuration that no task asked for"
    before = desk.keys()
    # The branches move on, and then the hub goes.
    hub.hub.publish("models", MODEL, weights(1))
    hub.hub.publish("datasets", GSM8K, gsm8k(first=50))
    asked = len(hub.hub.asked)
    desk.clpd("plan", "a.yaml", "--corpus", "--store", "one")
    assert hub.hub.asked[asked:] == [], "the hub is asked for nothing that is in the cache"
    hub.stop()
    desk.clpd_apart("run", "a.yaml", "--workers", "1", "--store", "two", HF_HUB_OFFLINE="1")
    assert desk.keys() == before
    made = {file.parent.name for file in desk.folder.glob("two/artifacts/*/manifest.json")}
    assert made == {*before.values()}
    for results in desk.folder.glob("two/artifacts/*/lm_eval/**/results_*.json"):
        text = results.read_text()
        assert str(desk.folder) not in text, "where things lie on this machine"
        if '"gsm8k"' in text:
            task = json.loads(text)["configs"]["gsm8k"]
            pinned = {"revision": desk.lock["datasets"][GSM8K]["main"]}
            assert (task["dataset_path"], task["dataset_kwargs"]) == (GSM8K, pinned)
            break
    else:
        raise AssertionError("nothing was evaluated on the task")


def test_what_is_not_pinned_is_planned_and_neither_run_nor_launched(desk: Desk) -> None:
    loose = f"data set {GSM8K} at main, model {MODEL} at main, task gsm8k"
    assert f"Not pinned, so that it can be planned and not run: {loose}." in desk.clpd("plan", "a.yaml").stdout
    site = str(Path(__file__).parents[2] / "slurm" / "dev.yaml")
    for verb in (["run", "a.yaml"], ["plan", "a.yaml", "--corpus"], ["launch", "a.yaml", "--site", site]):
        said = told(desk.clpd(*verb, status=2))
        assert f"data set {GSM8K} at main" in said
        assert "`clpd lock a.yaml`" in said
    assert not [*desk.folder.glob("clpd_store/artifacts/*/manifest.json")]


def test_a_model_that_only_set_names_is_told_to_be_in_no_lock(desk: Desk) -> None:
    desk.clpd("lock", "a.yaml")
    said = told(desk.clpd("run", "a.yaml", "--set", "models.base.initial.model=org/other", status=2))
    assert "not pinned to a commit: model org/other at main" in said
    assert "What --set alone names is in no lock" in said


def test_a_commit_in_the_file_and_the_same_one_in_the_lock_are_one_key(desk: Desk, hub: Running) -> None:
    desk.clpd("lock", "a.yaml")
    by_lock = desk.keys()
    data = ablation(revision=desk.lock["models"][MODEL]["main"])
    data["corpora"]["gsm8k"]["source"]["revision"] = desk.lock["datasets"][GSM8K]["main"]
    desk.write(data)
    assert desk.keys() == by_lock
    desk.clpd("lock", "a.yaml")
    assert "models" not in desk.lock, "a commit needs no lock"
    assert desk.keys() == by_lock


def test_another_commit_in_the_lock_is_another_key_of_what_depends_on_it(desk: Desk, hub: Running) -> None:
    desk.clpd("lock", "a.yaml")
    before = desk.keys()
    data = gsm8k()
    hub.hub.publish("datasets", GSM8K, data | {"README.md": data["README.md"] + b"More.\n"})
    desk.clpd("lock", "a.yaml")
    after = desk.keys()
    same = {label for label in before if before[label] == after[label]}
    assert not [label for label in same if "evaluation" in label or "corpus" in label or "student" in label]
    assert [label for label in same if label.startswith("weights of")]


def test_check_says_what_is_missing_and_asks_nobody(desk: Desk, hub: Running) -> None:
    assert "nothing" in desk.clpd("lock", "a.yaml", "--check", status=1).stdout
    desk.clpd("lock", "a.yaml")
    found = desk.json("lock", "a.yaml", "--check", status=1)["needs"]
    assert {(one["what"], one["pinned"], one["in_cache"]) for one in found} == {
        ("model", True, False), ("data set", True, False), ("task", True, False),
    }  # fmt: skip
    desk.clpd("lock", "a.yaml", "--fetch")
    hub.stop()
    assert all(one["in_cache"] for one in desk.json("lock", "a.yaml", "--check")["needs"])
    (lost,) = desk.folder.glob("home/hub/*/snapshots/*/main/train-00001-of-00002.parquet")
    lost.unlink()
    found = desk.json("lock", "a.yaml", "--check", status=1)["needs"]
    assert {one["what"]: one["in_cache"] for one in found} == {"model": True, "data set": False, "task": False}
    assert all("main/train-00001-of-00002.parquet" in one["lacking"] for one in found if one["lacking"])


def test_a_fetch_that_was_interrupted_goes_on_with_what_is_missing(desk: Desk, hub: Running) -> None:
    files = gsm8k()
    hub.hub.bytes_left = sum(map(len, files.values())) // 3
    desk.clpd("lock", "a.yaml", "--fetch", status=2)
    assert desk.json("lock", "a.yaml", "--check", status=1)["needs"]
    hub.hub.bytes_left = None
    there = {file.name for file in desk.snapshots}
    hub.hub.asked.clear()
    desk.clpd("lock", "a.yaml", "--fetch")
    got = {path.rpartition("/")[2] for method, path in hub.hub.asked if method == "GET" and "/resolve/" in path}
    assert there
    assert not there & got, "what is whole is not fetched again"
    desk.clpd("lock", "a.yaml", "--check")
