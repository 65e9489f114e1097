"""`--why` names the root cause of a new key, wherever among the parents it lies, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from clpd_bench.plan.why import Known, causes, of_record

LLAMA = {"name": "llama", "hidden_size": 8, "num_attention_heads": 2, "max_position_embeddings": 64}
TRAINING = {"steps": 4, "learning_rate": 0.005}
Jobs = dict[str, dict[str, Any]]


def job(kind: str, label: str, spec: dict[str, Any], parents: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"kind": kind, "label": label, "spec": spec, "parents": parents, "code": "3", "libraries": {}, **more}


def world(version: str) -> Jobs:
    """Jobs by place; `v` stands behind each key, so that all keys of two worlds differ."""

    def at(**parents: str) -> dict[str, str]:
        return {role.replace("_", "."): f"{place}:{version}" for role, place in parents.items()}

    source = {"name": "jsonl", "train": "/a/train.jsonl", "test": "/a/test.jsonl", "rationale": "why"}
    corpus = {"corpus": {"source": source, "tokenizer": "characters"}, "file_hashes": {"train": "1", "test": "2"}}
    model = {"architecture": LLAMA, "training": TRAINING, "supervision": {"order": "shuffled"}, "seed": 0}
    student = {"training": TRAINING, "supervision": {"order": "shuffled", "teachers": 2}, "seed": 0}
    jobs = {
        "corpus": job("corpus", "corpus sums", corpus, {}),
        "small": job("model", "model small", model, at(corpus="corpus")),
        "large": job("model", "model large", {**model, "seed": 1}, at(corpus="corpus")),
        "t.small": job("targets", "targets of small on sums", {"targets": {}}, at(model="small", corpus="corpus")),
        "t.large": job("targets", "targets of large on sums", {"targets": {}}, at(model="large", corpus="corpus")),
        "student": job(
            "model",
            "student clpd/0",
            student,
            {**at(corpus="corpus"), "targets.1": f"t.small:{version}", "targets.2": f"t.large:{version}"},
        ),
    }
    return {f"{place}:{version}": one for place, one in jobs.items()}


def told(now: Jobs, before: Jobs, place: str = "student") -> list[str]:
    """Sentences; keys of jobs that are equal in both worlds are made equal, as real keys are."""
    new, old = _keyed(now), _keyed(before)
    return [str(c) for c in causes(new[f"{place}:now"], old[f"{place}:before"], _by_key(new), _by_key(old))]


def _keyed(jobs: Jobs) -> dict[str, Known]:
    def key(name: str) -> str:
        one = jobs[name]
        known = of_record("", {**one, "parents": {}})
        parents = sorted((role, key(parent)) for role, parent in one["parents"].items())
        return repr((one["kind"], sorted(known.fingerprint.items(), key=str), one["code"], one["libraries"], parents))

    return {
        name: of_record(key(name), {**one, "parents": {role: key(p) for role, p in one["parents"].items()}})
        for name, one in jobs.items()
    }


def _by_key(known: dict[str, Known]) -> Any:
    return {one.key: one for one in known.values()}.get


@pytest.fixture
def now() -> Jobs:
    return world("now")


@pytest.fixture
def before() -> Jobs:
    return world("before")


def test_equal_keys_have_no_cause(now: Jobs, before: Jobs) -> None:
    assert told(now, before) == []


def test_a_setting_is_told_with_both_values(now: Jobs, before: Jobs) -> None:
    now["student:now"]["spec"] = {**now["student:now"]["spec"], "training": {"steps": 4, "learning_rate": 0.004}}
    assert told(now, before) == ["student clpd/0: settings: training.learning_rate was 0.005, is 0.004"]


def test_a_setting_that_came_from_its_default_is_told_with_the_default(now: Jobs, before: Jobs) -> None:
    for jobs, value in ((now, 2.0), (before, 1.0)):  # 1 is the default, in no key, and written into every spec
        name = next(k for k in jobs if k.startswith("student"))
        jobs[name]["spec"] = {**jobs[name]["spec"], "training": {**TRAINING, "clip": value}}
    assert told(now, before) == ["student clpd/0: settings: training.clip was 1.0, is 2.0"]


def test_what_is_in_no_key_is_no_cause(now: Jobs, before: Jobs) -> None:
    now["student:now"]["spec"] = {**now["student:now"]["spec"], "training": {**TRAINING, "micro_batch_tokens": 7}}
    now["corpus:now"]["spec"]["corpus"]["source"] |= {"train": "/b/train.jsonl"}
    now["student:now"]["spec"]["training"]["learning_rate"] = 0.004
    assert told(now, before) == ["student clpd/0: settings: training.learning_rate was 0.005, is 0.004"]


def test_a_cause_far_up_is_told_once_however_many_ways_lead_to_it(now: Jobs, before: Jobs) -> None:
    now["corpus:now"]["spec"]["file_hashes"]["train"] = "9"
    assert told(now, before) == ["corpus sums: the bytes of train changed"]


def test_a_models_change_is_told_as_its_teachers(now: Jobs, before: Jobs) -> None:
    now["large:now"]["spec"] = {**now["large:now"]["spec"], "training": {**TRAINING, "steps": 5}}
    assert told(now, before) == ["teacher large: settings: training.steps was 4, is 5"]


def test_a_code_version_is_told_by_kind_and_once(now: Jobs, before: Jobs) -> None:
    for name in ("small:now", "large:now", "student:now"):
        now[name]["code"] = "4"
    assert told(now, before) == ["code of kind model: version 3 -> 4"]


def test_edited_code_is_told_as_edited(now: Jobs, before: Jobs) -> None:
    now["t.small:now"]["code"] = now["t.large:now"]["code"] = "d08537593ba7abca"
    assert told(now, before) == ["code of kind targets: version 3 -> edited (d08537593ba7abca), not recorded"]


def test_a_librarys_version_is_told(now: Jobs, before: Jobs) -> None:
    now["student:now"]["libraries"], before["student:before"]["libraries"] = {"lm_eval": "0.5"}, {"lm_eval": "0.4"}
    assert told(now, before) == ["lm_eval: version 0.4 -> 0.5"]


def test_several_causes_are_all_told(now: Jobs, before: Jobs) -> None:
    now["corpus:now"]["spec"]["file_hashes"]["test"] = "9"
    now["small:now"]["spec"] = {**now["small:now"]["spec"], "seed": 5}
    now["student:now"]["code"] = "4"
    assert sorted(told(now, before)) == [
        "code of kind model: version 3 -> 4",
        "corpus sums: the bytes of test changed",
        "teacher small: settings: seed was 0, is 5",
    ]


def test_a_teacher_less_is_no_change_of_the_teachers_that_stay(now: Jobs, before: Jobs) -> None:
    parents = now["student:now"]["parents"]
    now["student:now"]["parents"] = {"corpus": parents["corpus"], "targets.1": parents["targets.2"]}
    now["student:now"]["spec"] = {**now["student:now"]["spec"], "supervision": {"order": "shuffled", "teachers": 1}}
    assert told(now, before) == [
        "student clpd/0: settings: supervision.teachers was 2, is 1",
        "student clpd/0: targets of large on sums was targets.2, is targets.1",
        "student clpd/0: targets of small on sums is gone as targets.1",
    ]


def test_another_parent_in_a_place_is_told_by_both_names(now: Jobs, before: Jobs) -> None:
    now["corpus:now"] |= {"label": "corpus other", "code": "4"}
    assert told(now, before, "large") == ["model large: corpus was corpus sums, is corpus other"]


def test_a_renamed_parent_with_the_same_key_is_nothing_new(now: Jobs, before: Jobs) -> None:
    now["corpus:now"]["label"] = "corpus additions"
    assert told(now, before) == []


def test_what_the_store_has_lost_is_told_as_lost(now: Jobs, before: Jobs) -> None:
    now["corpus:now"]["code"] = "4"
    new, old = _keyed(now), _keyed(before)
    found = causes(new["large:now"], old["large:before"], _by_key(new), lambda key: None)
    assert [str(cause) for cause in found] == [
        "model large: corpus sums is another; nothing is kept of the earlier one"
    ]


def test_manifests_older_than_code_versions_are_told_so(now: Jobs, before: Jobs) -> None:
    del before["large:before"]["code"]
    new = of_record("new", {**now["large:now"], "parents": {}})
    old = of_record("old", {**before["large:before"], "parents": {}})
    found = causes(new, old, lambda key: None, lambda key: None)
    assert [str(cause) for cause in found] == ["code of kind model: version not written down -> 3"]


def test_settings_of_another_form_are_compared_as_they_were_written(now: Jobs, before: Jobs) -> None:
    old = of_record("old", {**before["t.small:before"], "spec": {"targets": {"gone": 1}}, "parents": {}})
    new = of_record("new", {**now["t.small:now"], "parents": {}})
    found = [str(cause) for cause in causes(new, old, lambda key: None, lambda key: None)]
    assert "targets of small on sums: settings: targets.gone was 1, is not there" in found


def test_a_new_key_for_no_visible_reason_is_not_told_as_nothing() -> None:
    one = job("targets", "targets", {"targets": {}}, {})
    found = causes(of_record("a", one), of_record("b", one), lambda key: None, lambda key: None)
    assert [str(c) for c in found] == [
        "targets: the same settings, parents and code have another key: a default is new"
    ]
