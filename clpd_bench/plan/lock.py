"""What a plan needs of the hub, and the file `<file>.lock` that pins it to commits."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml
from pydantic import Field

from clpd_bench.errors import UserError
from clpd_bench.outside.hub import WORDS, Repository
from clpd_bench.outside.lm_eval_tasks import own_tasks, read_task
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.base import Settings
from clpd_bench.settings.file.load import load_settings
from clpd_bench.settings.file.yaml_reader import Dumper
from clpd_bench.settings.parts.hub import Commit, RepositoryId, Revision, TaskData, is_commit
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local
from clpd_bench.settings.parts.sources import OfHub, Source
from clpd_bench.settings.specs import CorpusSpec, EvaluationSpec, ModelSpec, Spec, TaskSpec

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
    if not path.exists():
        return Lock()
    return load_settings(path, Lock, "the lock of an ablation file", f"`clpd lock {file}` writes it anew")[0]


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


@dataclass(frozen=True)
class Tokenizer:
    """The tokenizer of a hub's model."""

    of: Hub

    @property
    def place(self) -> tuple[str, str]:
        return self.of.model, self.of.revision


Need = Hub | Tokenizer | OfHub | TaskSpec
"""Of a TaskSpec: the task, where it is one that lm-eval brings along, and its data."""


@dataclass(frozen=True)
class Named:
    """What a need is called by.

    Attributes:
        what: `model`, `data set` or `task`.
        revision: a commit, a branch or a tag; None of a task without data of the hub's.
    """

    what: str
    id: str
    revision: str | None

    @property
    def text(self) -> str:
        return f"{self.what} {self.id}" + (f" at {self.revision}" if self.revision else "")


def needs(plan: Plan, todo: Collection[str] | None = None) -> list[Need]:
    """Each once, in the plan's order; of some of its jobs alone, if `todo` says which."""
    specs = [job.spec for key, job in plan.jobs.items() if todo is None or key in todo]
    found = list({repr(need): need for spec in specs for need in _of(spec)}.values())
    whole = {(need.model, need.revision) for need in found if isinstance(need, Hub)}
    # Who has a model has its tokenizer.
    return [need for need in found if not (isinstance(need, Tokenizer) and need.place in whole)]


def named(need: Need) -> Named:
    if isinstance(need, TaskSpec):
        return Named("task", need.task, need.data.revision if need.data else None)
    if isinstance(need, Hub | Tokenizer):
        model = need if isinstance(need, Hub) else need.of
        return Named(WORDS["model"], model.model, model.revision)
    return Named(WORDS["dataset"], need.dataset, need.revision)


def is_pinned(need: Need) -> bool:
    """Whether it means the same for ever."""
    if isinstance(need, TaskSpec):
        known = need.include is not None or need.sha256 is not None
        return known and (need.data is None or is_commit(need.data.revision))
    return is_commit(named(need).revision or "")


def unpinned(plan: Plan, todo: Collection[str] | None = None) -> list[str]:
    """What is not pinned, in words; empty where the plan can be run."""
    return list(dict.fromkeys(named(need).text for need in needs(plan, todo) if not is_pinned(need)))


def _of(spec: Spec) -> Iterator[Need]:
    if isinstance(spec, CorpusSpec):
        source = spec.corpus.source
        if isinstance(source, OfHub) and source.revision is not None:
            yield source
        if spec.tokenizer_of and isinstance(spec.tokenizer_of.source, Hub):
            yield Tokenizer(spec.tokenizer_of.source)
    elif isinstance(spec, ModelSpec) and spec.start and isinstance(spec.start.source, Hub):
        yield spec.start.source
    elif isinstance(spec, EvaluationSpec) and isinstance(spec.benchmark, TaskSpec):
        task = spec.benchmark
        yield from [task] if task.include is None or task.data else []
