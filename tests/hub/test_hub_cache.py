"""Folders laid out as the hub's cache is: what counts as there, and which files a task's data are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from clpd_bench.errors import UserError
from clpd_bench.outside.hub import cached_folder, fetched_folder
from clpd_bench.outside.lm_eval_tasks import Folder, patterns_of, task_folder
from clpd_bench.settings.parts.hub import TaskData

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of org/set, a data set, in a cache that nothing is fetched into."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "hub" / "datasets--org--set"
    for part in ("refs", "blobs", "trees", f"snapshots/{COMMIT}"):
        (folder / part).mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return folder


def put(repository: Path, *names: str, text: str = "x") -> None:
    """Files as the cache has them: links to blobs."""
    for name in names:
        blob = repository / "blobs" / name.replace("/", "_")
        blob.write_text(text)
        file = repository / "snapshots" / COMMIT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(blob)


def list_files(repository: Path, *names: str) -> None:
    """The listing that the hub's library leaves of a repository that it fetched from."""
    files = {name: {"size": 1, "blob_id": "0" * 40} for name in names}
    (repository / "trees" / f"{COMMIT}.json").write_text(json.dumps({"format_version": 1, "files": files}))


@pytest.mark.parametrize(
    ("folder", "words"),
    [(cached_folder, r"in the hub's cache in part: .*a/2\.parquet"), (fetched_folder, "could not be fetched")],
)
def test_a_listed_file_that_matches_and_is_not_there_is_told(repository: Path, folder: Folder, words: str) -> None:
    list_files(repository, "a/1.parquet", "a/2.parquet", "b/1.parquet")
    put(repository, "a/1.parquet")
    with pytest.raises(UserError, match=f"org/set at revision {COMMIT} is .*{words}"):
        folder("org/set", COMMIT, ["a/*"], "dataset")
    put(repository, "a/2.parquet")
    assert folder("org/set", COMMIT, ["a/*"], "dataset") == repository / "snapshots" / COMMIT


def test_a_branch_that_the_cache_knows_is_not_another_commit(repository: Path) -> None:
    put(repository, "a.json")
    with pytest.raises(UserError, match="is not in the hub's cache"):
        cached_folder("org/set", COMMIT[::-1], ["*"], "dataset")


CARDS = {
    "configs: [{config_name: a, data_files: a/x.csv}, {config_name: b, data_files: b.csv}]": ["a/x.csv"],
    "configs: [{config_name: a, data_files: [a/*, c/**/d.csv]}]": ["a/*", "c/*d.csv"],
    "configs: [{config_name: a, data_files: [{split: train, path: [t, u]}, {split: test, path: v}]}]": ["t", "u", "v"],
    "configs: [{config_name: a, data_dir: there}]": ["there/*"],
    "configs: [{config_name: a, data_files: 'a/{x,y}.csv'}]": None,
    "configs: [{config_name: b, data_files: b.csv}]": None,
    "configs: [{data_files: b.csv}]": None,
    "license: mit": None,
}  # fmt: skip


@pytest.mark.parametrize("card", CARDS)
def test_the_files_of_a_configuration_are_those_that_the_card_says_or_all(tmp_path: Path, card: str) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"---\n{card}\n---\nText.\n")
    wanted = CARDS[card]
    assert patterns_of(TaskData(dataset="org/set", name="a"), file) == (["README.md", *wanted] if wanted else ["*"])


def test_without_a_name_the_default_configuration_is_meant_and_without_a_card_all(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    assert patterns_of(TaskData(dataset="org/set"), file) == ["*"]
    one, other = "{config_name: a, data_files: a.csv}", "{config_name: b, data_files: b.csv, default: true}"
    file.write_text(f"---\nconfigs: [{one}, {other}]\n---\n")
    # Those of the first one too: `datasets` wants them there, whichever it is asked for.
    assert patterns_of(TaskData(dataset="org/set"), file) == ["README.md", "a.csv", "b.csv"]
    assert patterns_of(TaskData(dataset="org/set", files=("c.csv",)), file) == ["README.md", "c.csv"]


def test_the_data_of_a_task_are_whole_without_those_of_other_configurations(repository: Path) -> None:
    list_files(repository, "README.md", "a.csv", "b.csv")
    put(repository, "README.md", text="---\nconfigs: [{config_name: a, data_files: a.csv}]\n---\n")
    data = TaskData(dataset="org/set", name="a", revision=COMMIT)
    with pytest.raises(UserError, match=r"in part: 1 file\(s\) are missing \(a\.csv\)"):
        task_folder(data, cached_folder)
    put(repository, "a.csv")
    assert task_folder(data, cached_folder) == repository / "snapshots" / COMMIT
