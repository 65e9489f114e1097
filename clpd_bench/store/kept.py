"""Files named by what they say: plans, diffs, sets of items."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.store import durable


def write_plan(folder: Path, plan: Mapping[str, Any]) -> Path:
    """Keep a plan; one that was kept before becomes the newest again.

    Raises:
        TypeError, ValueError: the plan is not plain JSON.
    """
    path = folder / _name(plan)
    durable.make_folder(folder)
    if durable.read_json(path) is None:
        durable.write_json(path, dict(plan))
    else:
        os.utime(path)
    return path


def plans(folder: Path) -> list[Path]:
    """The plans kept in a folder, newest first."""
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def keep_diff(folder: Path, diff: str) -> str:
    """The name under which the diff is kept: its sha256."""
    name = hashlib.sha256(diff.encode()).hexdigest()
    if not (folder / f"{name}.json").exists():
        durable.make_folder(folder)
        durable.write_json_once(folder / f"{name}.json", {"diff": diff})
    return name


def keep_items(folder: Path, ids: Iterable[str]) -> str:
    """The name under which a set of items' ids is kept, that many looks may show."""
    content = {"items": sorted(ids)}
    path = folder / _name(content)
    if not path.exists():
        durable.make_folder(folder)
        durable.write_json_once(path, content)
    return path.stem


def items(folder: Path, name: str) -> frozenset[str]:
    """The ids that are kept under a name.

    Raises:
        UserError: the file is damaged or gone.
    """
    path = folder / f"{name}.json"
    content = durable.read_json(path)
    if content is None or _name(content) != path.name:
        raise UserError("is damaged, so it is lost what a look had shown", file=path, fix="Bring it back from a copy")
    return frozenset(content["items"])


def _name(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest() + ".json"
