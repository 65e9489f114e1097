"""The lock beside an ablation file: read as it was written, and what it makes of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.pinning import changes, pinned
from clpd_bench.plan.build import build_plan
from clpd_bench.plan.lock import Lock, lock_path, read_lock, unpinned, write_lock
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.specs import EvaluationSpec, TaskSpec

COMMITS = ("0123456789abcdef0123456789abcdef01234567", "f" * 40)
IDS = st.from_regex(r"[A-Za-z0-9_.-]{1,9}(/[A-Za-z0-9_.-]{1,9})?", fullmatch=True)
BRANCHES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,6}(/[A-Za-z0-9_.-]{1,6})?", fullmatch=True)
HASHES = st.integers(0, 16**40 - 1).map("{:040x}".format) | st.integers(0, 10**19 - 1).map("{0:020}e{0:019}".format)
REFS = st.dictionaries(BRANCHES, HASHES, min_size=1, max_size=2)
REPOSITORIES = st.dictionaries(IDS, REFS, max_size=2)


@settings(max_examples=30, deadline=None)
@given(models=REPOSITORIES, datasets=REPOSITORIES)
def test_a_lock_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, models: dict[str, dict[str, str]], datasets: dict[str, dict[str, str]]
) -> None:
    file = tmp_path_factory.mktemp("lock") / "a.yaml"
    lock = Lock(models=models, datasets=datasets)
    write_lock(file, lock)
    assert read_lock(file) == lock
    assert [one.name for one in file.parent.iterdir()] == ["a.yaml.lock"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: {a/b: {main: short}}", r"models\.a/b\.main"),
        ("models: {}\nmodels: {}", "stands here again"),
        ("- a", "is a mapping"),
        ("model: {}", "model"),
        ("models: [", "not valid YAML"),
    ],
)
def test_what_is_no_lock_is_told_with_the_remedy(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.yaml"
    lock_path(file).write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        read_lock(file)
    assert caught.value.file == lock_path(file)
    assert caught.value.fix == f"`clpd lock {file}` writes it anew"


BENCHMARKS = "evaluation.benchmarks={sums: {corpus: sums}, named: {task: gsm8k, limit: 2}}"


def planned(file: Path, *sets: str) -> Plan:
    return build_plan(load_ablation(file, [BENCHMARKS, *sets]), file)


def task(plan: Plan) -> TaskSpec:
    specs = [job.spec.benchmark for job in plan.jobs.values() if isinstance(job.spec, EvaluationSpec)]
    return next(spec for spec in specs if isinstance(spec, TaskSpec))


def locked(file: Path, commit: str, keep: Lock | None = None) -> Lock:
    lock = pinned(planned(file), keep or Lock(), ask=lambda repository, revision, kind: commit)
    write_lock(file, lock)
    return lock


def test_a_task_of_lm_evals_own_is_pinned_with_its_file_and_its_data(small: Path) -> None:
    assert unpinned(planned(small)) == ["task gsm8k"]
    locked(small, COMMITS[0])
    plan = planned(small)
    assert unpinned(plan) == []
    data = task(plan).data
    assert data is not None
    assert (data.dataset, data.name, data.revision) == ("openai/gsm8k", "main", COMMITS[0])
    locked(small, COMMITS[1])
    moved = planned(small)
    assert {cell.evaluations["sums"] for cell in moved.cells} == {cell.evaluations["sums"] for cell in plan.cells}
    assert not {c.evaluations["named"] for c in moved.cells} & {c.evaluations["named"] for c in plan.cells}


@pytest.mark.parametrize("change", [{"lm_eval": "0.4.12"}, {"sha256": "0" * 64}, {"file": "gsm8k/gone.yaml"}])
def test_another_lm_eval_than_the_one_that_was_pinned_is_not_pinned(small: Path, change: dict[str, str]) -> None:
    locked(small, COMMITS[0])
    lock = yaml.safe_load(lock_path(small).read_text())
    (lock if "lm_eval" in change else lock["tasks"]["gsm8k"]).update(change)
    lock_path(small).write_text(yaml.safe_dump(lock))
    assert unpinned(planned(small)) == ["task gsm8k"]


def test_what_is_kept_is_not_asked_for_again(small: Path) -> None:
    old = locked(small, COMMITS[0])
    assert locked(small, COMMITS[1], keep=old) == old
    new = locked(small, COMMITS[1])
    told = [one.text for one in changes(old, new)]
    assert f"data set openai/gsm8k at main: {COMMITS[0][:12]} -> {COMMITS[1][:12]}" in told
    assert [one.text.partition(":")[2] for one in changes(new, Lock())] == [" no longer needed"] * 2


def test_a_task_that_finds_its_data_by_its_own_code_is_pinned_by_its_file_alone(small: Path) -> None:
    def plan() -> Plan:
        sets = "evaluation.benchmarks={sums: {corpus: sums}, named: {task: squadv2}}"
        return build_plan(load_ablation(small, [sets]), small)

    lock = pinned(plan(), Lock(), ask=lambda *asked: pytest.fail(f"the hub was asked for {asked}"))
    write_lock(small, lock)
    assert lock.tasks["squadv2"].data is None
    assert unpinned(plan()) == []


def test_a_task_of_a_folder_is_pinned_with_its_data_alone(small: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mine.yaml").write_text("task: mine\ndataset_path: org/set\ndataset_kwargs: {revision: v1}\n")

    def plan() -> Plan:
        sets = f"evaluation.benchmarks={{sums: {{corpus: sums}}, mine: {{task: mine, include: {tmp_path / 'tasks'}}}}}"
        return build_plan(load_ablation(small, [sets]), small)

    assert unpinned(plan()) == ["task mine at v1"]
    lock = pinned(plan(), Lock(), ask=lambda repository, revision, kind: COMMITS[0])
    assert (lock.datasets, lock.tasks, lock.lm_eval) == ({"org/set": {"v1": COMMITS[0]}}, {}, None)
    write_lock(small, lock)
    assert unpinned(plan()) == []
    data = task(plan()).data
    assert data is not None
    assert data.revision == COMMITS[0]
