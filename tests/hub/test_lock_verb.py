"""`clpd lock`: what is pinned, what it says, and what it leaves alone."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from desk import GSM8K, MODEL, Desk, ablation, gsm8k, told
from hub_environment import PLAIN, SETTINGS, environment
from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError
from server import Elsewhere, Files, Hub, Running


def test_each_model_data_set_and_task_is_pinned_to_the_commit_of_its_branch(desk: Desk, hub: Running) -> None:
    done = desk.clpd("lock", "a.yaml")
    commits = {name: one.refs["main"] for (_, name), one in hub.hub.repositories.items()}
    assert desk.lock["models"] == {MODEL: {"main": commits[MODEL]}}
    assert desk.lock["datasets"] == {GSM8K: {"main": commits[GSM8K]}}
    task = desk.lock["tasks"]["gsm8k"]
    assert (task["file"], task["data"]) == ("gsm8k/gsm8k.yaml", {"dataset": GSM8K, "name": "main"})
    assert f"model {MODEL} at main: {commits[MODEL][:12]} (new)" in done.stdout
    assert (desk.folder / "a.yaml.lock").read_text().startswith("# Written by `clpd lock a.yaml`")


def test_locking_again_takes_what_the_hub_has_now_and_says_what_changed(
    desk: Desk, hub: Running, weights: Callable[[int], Files]
) -> None:
    desk.clpd("lock", "a.yaml")
    before = hub.hub.repositories["models", MODEL].refs["main"]
    after = hub.hub.publish("models", MODEL, weights(1))
    data = ablation()
    data["evaluation"]["benchmarks"].pop("by_name")
    desk.write(data)
    done = desk.clpd("lock", "a.yaml")
    assert f"model {MODEL} at main: {before[:12]} -> {after[:12]}" in done.stdout
    assert (
        f"data set {GSM8K} at main: {hub.hub.repositories['datasets', GSM8K].refs['main'][:12]} (as before)"
        in done.stdout
    )
    assert "task gsm8k: no longer needed" in done.stdout
    assert "tasks" not in desk.lock
    assert desk.lock["models"] == {MODEL: {"main": after}}


def test_what_the_hub_does_not_tell_leaves_the_old_lock_as_it_was(desk: Desk, hub: Running) -> None:
    desk.clpd("lock", "a.yaml")
    before = (desk.folder / "a.yaml.lock").read_bytes()
    hub.hub.publish("models", MODEL, {"config.json": b"{}"})
    mistakes = {
        "model org/thin, or does not show it": ablation(model="org/thin"),
        f"model {MODEL} has no revision 'v9'": ablation(revision="v9"),
        "lm-eval 0.4.13 has no task 'gsm8c'": yaml.safe_load(
            yaml.safe_dump(ablation()).replace("task: gsm8k", "task: gsm8c")
        ),
    }
    for words, data in mistakes.items():
        desk.write(data)
        assert words in told(desk.clpd("lock", "a.yaml", status=2))
        assert (desk.folder / "a.yaml.lock").read_bytes() == before
    desk.write(ablation())
    hub.stop()
    assert "could not be looked up" in told(desk.clpd("lock", "a.yaml", status=2))
    assert "HF_HUB_OFFLINE" in told(desk.clpd("lock", "a.yaml", status=2, HF_HUB_OFFLINE="1"))
    assert (desk.folder / "a.yaml.lock").read_bytes() == before


def test_a_gated_model_says_where_to_accept_its_licence(desk: Desk, hub: Running) -> None:
    hub.hub.repositories["models", MODEL].gated = True
    said = told(desk.clpd("lock", "a.yaml", "--fetch", status=2))
    assert f"model {MODEL} is gated" in said
    assert f"Accept its licence at {hub.endpoint}/{MODEL}, and come back with a token that may read it" in said
    assert "hf auth login" in said


def test_a_lock_that_cannot_be_read_names_its_line_and_is_written_anew(desk: Desk) -> None:
    lock = desk.folder / "a.yaml.lock"
    lock.write_text("models:\n  org/thing: {main: 0123}\n")
    said = told(desk.clpd("plan", "a.yaml", status=2))
    assert said.startswith("a.yaml.lock:2: models.org/thing.main: ")
    assert "`clpd lock a.yaml` writes it anew" in said
    desk.clpd("lock", "a.yaml")
    desk.clpd("plan", "a.yaml")


def test_a_file_that_extends_another_has_a_lock_of_its_own_with_all_it_needs(desk: Desk, hub: Running) -> None:
    hub.hub.publish("models", "org/other", gsm8k())
    desk.write({"extends": "a.yaml", "models": {"base": {"initial": {"model": "org/other"}}}}, "b.yaml")
    desk.clpd("lock", "a.yaml")
    assert "model org/other" in " ".join(desk.json("plan", "b.yaml")["unpinned"])
    desk.clpd("lock", "b.yaml")
    locked = yaml.safe_load((desk.folder / "b.yaml.lock").read_text())
    assert [*locked["models"]] == ["org/other"]
    assert [*locked["datasets"]] == [GSM8K]
    assert desk.json("plan", "b.yaml")["unpinned"] == []


def test_every_model_along_an_axis_is_pinned(desk: Desk, hub: Running) -> None:
    hub.hub.publish("models", "org/other", gsm8k())
    desk.write(ablation() | {"axes": {"models.base.initial.model": [MODEL, "org/other"]}})
    assert len([one for one in desk.json("plan", "a.yaml")["unpinned"] if one.startswith("model")]) == 2
    desk.clpd("lock", "a.yaml")
    assert {*desk.lock["models"]} == {MODEL, "org/other"}
    assert desk.json("plan", "a.yaml")["unpinned"] == []


def test_fetching_keeps_what_is_pinned_and_pins_what_is_not(
    desk: Desk, hub: Running, weights: Callable[[int], Files]
) -> None:
    desk.clpd("lock", "a.yaml")
    before = desk.lock
    hub.hub.publish("models", MODEL, weights(1))
    desk.clpd("lock", "a.yaml", "--fetch")
    assert desk.lock == before
    data = ablation()
    data["models"]["more"] = {"initial": {"name": "hub", "model": MODEL, "revision": "tuned"}}
    desk.write(data)
    tuned = hub.hub.publish("models", MODEL, weights(2), ref="tuned")
    desk.clpd("lock", "a.yaml", "--fetch")
    assert desk.lock["models"] == {MODEL: {**before["models"][MODEL], "tuned": tuned}}


def test_a_call_asks_the_hub_of_its_desk_and_the_real_one_never(
    desk: Desk, hub: Running, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    here = plain_settings(), dict(os.environ)
    desk.clpd("lock", "a.yaml")
    asked = [*hub.hub.asked]
    assert {path.split("/revision")[0] for _, path in asked} >= {f"/api/models/{MODEL}", f"/api/datasets/{GSM8K}"}
    other = Hub()
    moved = {kind: other.publish(kind, name, {"config.json": b"{}"}) for kind, name in hub.hub.repositories}
    (tmp_path / "other").mkdir()
    with Running(other) as running:
        there = Desk(tmp_path / "other", running.endpoint, elsewhere.endpoint)
        there.write(ablation())
        there.clpd("lock", "a.yaml")
    assert there.lock["models"] == {MODEL: {"main": moved["models"]}}
    assert there.lock["datasets"] == {GSM8K: {"main": moved["datasets"]}}
    assert hub.hub.asked == asked
    # Whoever asked the real one would have been seen.
    with environment(desk.environment()), pytest.raises(HTTPError):
        HfApi(endpoint="https://huggingface.co").model_info(MODEL)
    assert {*elsewhere.asked} == {"huggingface.co:443"}
    elsewhere.asked.clear()
    assert (plain_settings(), dict(os.environ)) == here


def plain_settings() -> dict[tuple[str, str], object]:
    """What the hub's libraries have read of the environment."""
    found = {name: vars(importlib.import_module(name)) for name in SETTINGS}
    return {
        (module, name): value for module in found for name, value in found[module].items() if isinstance(value, PLAIN)
    }
