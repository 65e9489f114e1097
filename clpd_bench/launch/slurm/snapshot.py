"""A launch's own copy of the code: its jobs run what was there, whatever is edited afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from clpd_bench.launch.provenance import PACKAGE, write_record
from clpd_bench.plan.plan import Plan


def take(plan: Plan, target: Path) -> dict[str, Any]:
    """Copies the package, the plan's plug-ins and its ablation file into `target`, a new folder.

    Returns the plan, as JSON, with the copies' places in it: where a plug-in lies is in no key.
    """
    shutil.copytree(PACKAGE, target / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    write_record(target)
    files = target / "files"
    files.mkdir()
    shutil.copy(plan.file, files)
    moved: Any = _moved(plan.to_json(), files)
    return dict(moved)


def _moved(value: Any, files: Path) -> Any:
    """The value, in which each plug-in's file is its copy."""
    if isinstance(value, list):
        return [_moved(inner, files) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("name") == "plugin" and "sha256" in value:
        source, place = Path(value["file"]), files / value["sha256"][:16]
        if not (place / source.name).exists():
            place.mkdir(exist_ok=True)
            shutil.copy(source, place)
        return {**value, "file": str(place / source.name)}
    return {key: _moved(inner, files) for key, inner in value.items()}
