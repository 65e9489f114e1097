"""Files named by what they say: plans, diffs; declarations and reports with the time they were first made."""

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
    _write_dated(path, {"declaration": dict(declaration)})
    return _dated(path)


def record_report(folder: Path, shown: Mapping[str, str]) -> None:
    """Keep what a report shows, with the time at which one first showed just that.

    Args:
        shown: {key of an evaluation: key of the model that it is of}.
    """
    _write_dated(folder / _name(shown), {"shown": dict(shown)})


def dated(folder: Path) -> list[dict[str, Any]]:
    """All records of a folder, the oldest first.

    Raises:
        UserError: one is damaged.
    """
    records = [_dated(path) for path in sorted(folder.glob("*.json"))]
    return sorted(records, key=lambda record: str(record["time"]))


def _write_dated(path: Path, content: dict[str, Any]) -> None:
    if not path.exists():
        durable.make_folder(path.parent)
        durable.write_json_once(path, {**content, "time": now()})


def _dated(path: Path) -> dict[str, Any]:
    record = durable.read_json(path)
    if record is None or "time" not in record:
        raise UserError(
            f"is damaged, so the time of the {path.parent.name.removesuffix('s')} is lost",
            file=path,
            fix="Bring it back from a copy; without one, remove it: it then counts as never made",
        )
    return record


def _name(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest() + ".json"
