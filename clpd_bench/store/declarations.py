"""Files named by what they say: plans, diffs, and declarations with the time they were first made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.store import durable
from clpd_bench.store.clock import now


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


def declare(folder: Path, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration with the time at which it was made first.

    Raises:
        TypeError, ValueError: the declaration is not plain JSON.
        UserError: the record is damaged.
    """
    path = folder / _name(declaration)
    if not path.exists():
        durable.make_folder(folder)
        durable.write_json_once(path, {"declaration": dict(declaration), "time": now()})
    record = durable.read_json(path)
    if record is None:
        raise UserError(
            "is damaged, so the time of the declaration is lost",
            file=path,
            fix="bring it back from a copy, or remove it to declare anew, with today's date",
        )
    return record


def _name(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest() + ".json"
