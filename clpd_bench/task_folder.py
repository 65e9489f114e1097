"""Where the data of a task lie in the hub's cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clpd_bench.hub import Repository
from clpd_bench.settings.task_data import TaskData

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
