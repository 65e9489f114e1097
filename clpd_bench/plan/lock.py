"""`<file>.lock`: the commits that an ablation's models, data sets and tasks are pinned to."""

from __future__ import annotations

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from clpd_bench.errors import UserError
from clpd_bench.hub import Repository
from clpd_bench.settings.base import Settings
from clpd_bench.settings.findings import first_finding
from clpd_bench.settings.pretrained import Gguf, Hub, Local
from clpd_bench.settings.revisions import Commit, RepositoryId, Revision, is_commit
from clpd_bench.settings.sources import OfHub, Source
from clpd_bench.settings.task_data import TaskData
from clpd_bench.settings.yaml_reader import Dumper, dotted, parse
from clpd_bench.task_files import own_tasks, read_task

HEAD = """\
# Written by `clpd lock {file}`, which also brings it up to date. Commit it beside that file: these revisions are part
# of every key, so that the same two files mean the same results.
"""

Commits = dict[RepositoryId, dict[Revision, Commit]]
"""{id: {branch or tag: commit}}"""


class LockedTask(Settings):
    """A task that lm-eval brings along."""

    file: str
    """Path of its YAML file among lm-eval's."""
    sha256: str
    """Of that file's settings."""
    data: TaskData | None = None
    """None where they are no hub's, or found by the task's own code. The revision's commit is that of the data set."""


class Lock(Settings):
    lm_eval: str | None = None
    """The version whose tasks are meant."""
    models: Commits = Field(default_factory=dict)
    datasets: Commits = Field(default_factory=dict)
    tasks: dict[str, LockedTask] = Field(default_factory=dict)

    def commit(self, kind: Repository, repository: str, revision: str) -> str:
        """The commit of a revision; the revision itself where it is one, or none is known."""
        commits = self.models if kind == "model" else self.datasets
        return revision if is_commit(revision) else commits.get(repository, {}).get(revision, revision)

    def weights(self, source: Hub | Local | Gguf) -> Hub | Local | Gguf:
        """The same pretrained weights, at the commit that is known."""
        if not isinstance(source, Hub):
            return source
        return source.model_copy(update={"revision": self.commit("model", source.model, source.revision)})

    def source(self, source: Source) -> Source:
        """The same source of a corpus, at the commit that is known."""
        if not isinstance(source, OfHub) or source.revision is None:
            return source
        return source.model_copy(update={"revision": self.commit("dataset", source.dataset, source.revision)})

    def data(self, data: TaskData) -> TaskData:
        """The same data of a task, at the commit that is known."""
        return data.model_copy(update={"revision": self.commit("dataset", data.dataset, data.revision)})

    def task(self, name: str) -> LockedTask | None:
        """A task of lm-eval's own, if it is pinned, and what is installed is what was pinned."""
        locked = self.tasks.get(name)
        if locked is None or self.lm_eval != lm_eval_version():
            return None
        path = own_tasks() / locked.file
        return locked if path.is_file() and read_task(path).sha256 == locked.sha256 else None


def lm_eval_version() -> str | None:
    try:
        return version("lm_eval")
    except PackageNotFoundError:
        return None


def lock_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")


def read_lock(file: Path) -> Lock:
    """The lock beside an ablation file; an empty one where there is none.

    Raises:
        UserError: it is there and no lock.
    """
    path = lock_path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Lock()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=path) from None
    again = f"`clpd lock {file}` writes it anew"
    try:
        data, lines = parse(text, path)
    except UserError as error:
        raise UserError(error.message, file=path, line=error.line, key=error.key, fix=again) from None
    if not isinstance(data, dict):
        raise UserError("is no lock of an ablation file", file=path, fix=again)
    try:
        return Lock.model_validate(data)
    except ValidationError as error:
        finding = first_finding(error, data, Lock)
        line = lines.get(tuple(map(str, finding.path)))
        key = dotted(finding.path)
        raise UserError(finding.message, file=path, line=line, key=key, found=finding.found, fix=again) from None


def write_lock(file: Path, lock: Lock) -> Path:
    """Puts it beside the ablation file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    path = lock_path(file)
    body = yaml.dump(lock.model_dump(mode="json", exclude_defaults=True), Dumper=Dumper, width=10**6)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            written = Path(folder) / path.name
            written.write_text(HEAD.format(file=file.name) + body, encoding="utf-8")
            written.replace(path)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
    return path
