"""Tasks of lm-eval, loaded: one of ours, one of a folder, or one of its own by name."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.evaluation.harness import quiet
from clpd_bench.evaluation.task import DOCUMENTS, TASK
from clpd_bench.outside.hub import cached_folder
from clpd_bench.outside.lm_eval_tasks import LOADERS, TaskFile, find_task, own_tasks, task_folder
from clpd_bench.settings.base import files_under
from clpd_bench.settings.specs import TaskSpec


@contextmanager
def loaded(folder: Path) -> Iterator[Any]:
    """The task that `evaluation.task` wrote into a folder, while its data are wanted."""
    quiet()
    path = folder.resolve()
    with tempfile.TemporaryDirectory() as cache, _without_bytecode(), _forgotten(path):
        data = {"data_files": {"test": str(path / DOCUMENTS)}, "cache_dir": cache}
        yield _of_file(path / f"{TASK}.yaml", {"dataset_kwargs": data})


@contextmanager
def loaded_by_name(spec: TaskSpec) -> Iterator[Any]:
    """A task of a folder, or of lm-eval's own, while its data are wanted.

    Raises:
        UserError: there is no such task or it is not the one that was planned, it is a group or runs code that it was
            given, or its data cannot be had.
    """
    quiet()
    _require_unchanged(spec)
    found = find_task(spec.task, spec.include or own_tasks())
    if found is None:
        raise _no_task(spec)
    if spec.sha256 is not None and found.sha256 != spec.sha256:
        raise UserError(
            f"task {spec.task!r} is another here than the one that was planned",
            file=found.path,
            key="task",
            fix="Pin what is installed: `clpd lock FILE`; or install the version of lm-eval that the lock names",
        )
    changed: dict[str, Any] = {} if spec.shots is None else {"num_fewshot": spec.shots}
    with tempfile.TemporaryDirectory() as cache:
        task = _built(found, {**changed, **_data(found, spec, cache)}, spec)
        if spec.data is not None:  # as others find them, in the results: the folder is this machine's
            given = {**(found.settings.get("dataset_kwargs") or {}), "revision": spec.data.revision}
            task.config.dataset_path, task.config.dataset_kwargs = spec.data.dataset, given
        if getattr(task, "UNSAFE_CODE", False):
            raise UserError(f"task {spec.task!r} runs code that a model wrote, and that is not done here", key="task")
        yield task


def _data(found: TaskFile, spec: TaskSpec, cache: str) -> dict[str, Any]:
    """What a task says of its data, changed so that they are read from where they lie, and nothing of them is kept."""
    given = dict(found.settings.get("dataset_kwargs") or {})
    if spec.data is not None:
        given = {key: value for key, value in given.items() if key != "revision"}
        folder = task_folder(spec.data, cached_folder)
        return {"dataset_path": str(folder), "dataset_kwargs": {**given, "cache_dir": cache}}
    if found.settings.get("dataset_path") not in LOADERS:
        return {}
    if spec.include is not None and "data_files" in given:
        given["data_files"] = _inside(given["data_files"], spec.include)
    return {"dataset_kwargs": {**given, "cache_dir": cache}}


def _built(found: TaskFile, changed: dict[str, Any], spec: TaskSpec) -> Any:
    try:
        return _of_file(found.path, changed)
    except (OSError, ValueError) as error:  # the errors of data sets and of the hub are of these two kinds
        source = " ".join(
            str(found.settings[key]) for key in ("dataset_path", "dataset_name") if found.settings.get(key)
        )
        raise UserError(
            f"task {spec.task!r} could not load its data ({source or 'of its own code'}): "
            f"{type(error).__name__}: {str(error).strip().splitlines()[0]}",
            key="task",
            fix="Where there is a network, load it once (`lm_eval --tasks NAME --limit 1`) and let HF_HOME name that "
            "cache; or write a task of your own on local files and give its folder as `include`",
        ) from None


def _of_file(path: Path, changed: dict[str, Any]) -> Any:
    from lm_eval.tasks import TaskManager  # costs seconds to import: only for who evaluates
    from lm_eval.tasks._index import TaskIndex

    # One file alone: lm-eval takes ten seconds to list its own.
    manager, entry = TaskManager(include_defaults=False), TaskIndex.entry_from_path(path)
    return manager._factory.build(entry, overrides=changed or None, registry={})


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """A task's module is loaded without leaving anything beside it."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def _forgotten(folder: Path) -> Iterator[None]:
    """Modules of the folder are forgotten at the end. lm-eval keeps them by their paths, and no path comes again."""
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.startswith(f"{folder}/")]:
            del sys.modules[name]


def _no_task(spec: TaskSpec) -> UserError:
    """Why there is none of that name: it is a group's, or nobody's."""
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    manager = TaskManager(include_path=str(spec.include), include_defaults=False) if spec.include else TaskManager()
    entry = manager.task_index.get(spec.task)
    if entry is None:
        where = f"in {str(spec.include)!r}" if spec.include else "of lm-eval"
        return UserError(
            f"there is no task {spec.task!r} {where}", key="task", found=spec.task, allowed=manager.all_tasks
        )
    return UserError(
        f"{spec.task!r} is a group of tasks, and a benchmark is one task",
        key="task",
        fix=f"Make each of them a benchmark: {', '.join(_members(entry, load_yaml))}",
    )


def _members(entry: Any, load_yaml: Any) -> list[str]:
    """The tasks of a group or tag."""
    if entry.kind.name == "TAG":
        return sorted(entry.tags)
    listed = load_yaml(entry.yaml_path, resolve_func=False).get("task") or []
    return [str(one if isinstance(one, str) else one.get("task", one.get("group"))) for one in listed]


def _inside(files: Any, folder: Path) -> Any:
    """Data files with the paths that they have in the folder, where they lie there."""
    if isinstance(files, dict):
        return {split: _inside(one, folder) for split, one in files.items()}
    if isinstance(files, list):
        return [_inside(one, folder) for one in files]
    return str((folder / files).resolve()) if (folder / files).is_file() else files


def _require_unchanged(spec: TaskSpec) -> None:
    if spec.include is None:
        return
    found = {name: hashlib.sha256((spec.include / name).read_bytes()).hexdigest() for name in files_under(spec.include)}
    if found != spec.include_hashes:
        other = sorted({name for name, _ in found.items() ^ spec.include_hashes.items()})
        raise UserError(
            f"the folder of tasks has changed since it was planned: {', '.join(other)}",
            file=spec.include,
            fix="Run the command again",
        )
