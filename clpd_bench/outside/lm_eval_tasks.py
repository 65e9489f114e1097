"""lm-eval's task files, read without lm-eval, whose own index takes ten seconds; and where a task's data lie."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.outside.hub import Repository
from clpd_bench.settings.parts.hub import TaskData

LOADERS = ("json", "csv", "parquet", "text", "arrow", "pandas", "xml", "webdataset", "imagefolder", "audiofolder")
"""What `dataset_path` may say beside a data set of the hub: loaders of files."""
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}
NAMED = re.compile(rb"""^["']?task["']?:[ \t]*(?:"([^"]*)"|'([^']*)'|([^#\r\n\[]*?))[ \t]*(?:#.*)?\r?$""", re.M)
"""The line that gives a task its name."""


class _Loader(yaml.SafeLoader):
    """Functions (`!function utils.process_docs`) stay names."""


_Loader.add_constructor("!function", lambda loader, node: f"!function {node.value}")


@dataclass(frozen=True)
class TaskFile:
    """Attributes:
    path: of the YAML file.
    settings: what stands in it, with the files that it includes underneath.
    """

    path: Path
    settings: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Of the settings, wherever they stand."""
        text = json.dumps(self.settings, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def own_code(self) -> bool:
        """Whether the task finds its data by code of its own, so that nobody can say from outside what they are."""
        return "class" in self.settings or bool(self.settings.get("custom_dataset"))

    @property
    def data(self) -> TaskData | None:
        """The hub's data set; None where there is none, or the task's own code finds it."""
        dataset = self.settings.get("dataset_path")
        if self.own_code or not isinstance(dataset, str) or dataset in LOADERS:
            return None
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", dataset) or Path(dataset).exists():
            return None
        given = self.settings.get("dataset_kwargs") or {}
        if not isinstance(given, dict):
            raise UserError("wants a mapping", file=self.path, key="dataset_kwargs", found=given)
        inside = given.get("data_dir")
        files = [f"{inside}/*"] if inside else list(_texts(given.get("data_files")))
        try:
            return TaskData(
                dataset=dataset,
                name=self.settings.get("dataset_name"),
                revision=given.get("revision") or "main",
                files=tuple(files),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(
                f"dataset {first['loc'][0]}: {first['msg']}", file=self.path, found=first["input"]
            ) from None


def own_tasks() -> Path:
    """The folder of the tasks that lm-eval brings along, found without importing it.

    Raises:
        UserError: lm-eval is not installed.
    """
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("lm-eval is not installed", fix="pip install 'lm_eval[hf]'")
    return Path(spec.submodule_search_locations[0]) / "tasks"


def find_task(name: str, folder: Path) -> TaskFile | None:
    """The task of that name, of several the first by its path as lm-eval has it; None where there is none (it may
    be a group). A fraction of a second for all of lm-eval's."""
    wanted = name.encode()
    path = next((path for path, found in _named(folder) if found == wanted), None)
    return None if path is None else read_task(path)


def task_names(folder: Path) -> list[str]:
    return sorted({name.decode(errors="replace") for _, name in _named(folder)})


def read_task(path: Path) -> TaskFile:
    """
    Raises:
        UserError: it cannot be read, or is no YAML of a task.
    """
    try:
        return TaskFile(path, _read(path, ()))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"is no task of lm-eval: {reason}", file=path) from None


def _named(folder: Path) -> Iterable[tuple[Path, bytes]]:
    return _own_named(folder) if folder == own_tasks() else _read_names(folder)


@functools.cache
def _own_named(folder: Path) -> tuple[tuple[Path, bytes], ...]:
    """Of lm-eval's own, which nobody changes meanwhile."""
    return tuple(_read_names(folder))


def _read_names(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.glob("**/*.yaml"), key=lambda p: p.as_posix()):
        if not LEFT_OUT & {*path.parts} and (found := NAMED.search(path.read_bytes())):
            yield path, next((group for group in found.groups() if group is not None), b"").strip()


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """As lm-eval does: what a file includes stands underneath, its `task_list` aside."""
    path = path.resolve()
    if path in above:
        raise ValueError(f"{path} includes itself in the end")
    loader = _Loader(path.read_bytes())
    try:
        settings = loader.get_single_data()
    finally:
        loader.dispose()
    if not isinstance(settings, dict):
        raise ValueError(f"{path} holds no mapping of settings")
    included = settings.pop("include", None) or []
    merged: dict[str, Any] = {}
    for other in included if isinstance(included, list) else [included]:
        merged |= {k: v for k, v in _read(path.parent / other, (*above, path)).items() if k != "task_list"}
    return merged | settings


def _texts(value: Any) -> Iterator[str]:
    """The texts in nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


CARD = "README.md"
"""Says which files a configuration of a data set has."""
Folder = Callable[[str, str, Sequence[str], Repository], Path]
"""`hub.cached_folder` or `hub.fetched_folder`."""


def task_folder(data: TaskData, folder: Folder) -> Path:
    """The folder of the cache that `datasets.load_dataset` finds the data in; raises as `folder`."""
    found = folder(data.dataset, data.revision, [CARD], "dataset")
    return folder(data.dataset, data.revision, patterns_of(data, found / CARD), "dataset")


def patterns_of(data: TaskData, card: Path) -> list[str]:
    """Of the files that the configuration is made of. All, where the card does not tell, or in a way that a simple
    pattern cannot say."""
    from datasets.utils.metadata import MetadataConfigs  # a second to import
    from huggingface_hub import DatasetCard

    if data.files:
        return _simple([*data.files])
    try:
        configurations = MetadataConfigs.from_dataset_card_data(
            DatasetCard.load(card, ignore_metadata_errors=True).data
        )
    except (OSError, ValueError):
        return ["*"]
    settings = configurations.get(data.name or configurations.get_default_config_name() or "")
    if settings is None:
        return ["*"]
    # Whichever is asked for, `datasets` looks for the files of the card's first one, to know what kind they are.
    first = next(iter(configurations.values()))
    return _simple(list(dict.fromkeys([*_files(first), *_files(settings)])))


def _files(settings: dict[str, Any]) -> list[str]:
    """Patterns of a configuration's files."""
    inside = settings.get("data_dir")
    if inside:
        return [f"{inside}/*"]
    listed = settings.get("data_files") or "*"
    parts = [
        part["path"] if isinstance(part, dict) else part for part in ([listed] if isinstance(listed, str) else listed)
    ]
    return [path for part in parts for path in ([part] if isinstance(part, str) else part)]


def _simple(patterns: list[str]) -> list[str]:
    """With `*` for whatever stands between, also over folders; all where that does not do."""
    if any(set("{}[]") & {*pattern} or "://" in pattern for pattern in patterns):
        return ["*"]
    return [CARD, *(pattern.removeprefix("./").replace("**/", "*") for pattern in patterns)]
