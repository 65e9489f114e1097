"""Files that jobs will read: there, and as they were planned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.corpus import Jsonl
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.specs import CorpusSpec


def check_inputs(plan: Plan, todo: set[str]) -> list[Finding]:
    """The user's own functions, and the texts of corpora that are still to be made."""
    wanted: dict[Path, str] = {}
    for key in (key for key in plan.jobs if key in todo):
        spec = plan.jobs[key].spec
        wanted |= {plugin.file: plugin.sha256 for plugin in _plugins(spec)}
        if isinstance(spec, CorpusSpec) and isinstance(spec.corpus.source, Jsonl):
            wanted |= {getattr(spec.corpus.source, role): sha256 for role, sha256 in spec.file_hashes.items()}
    return [finding for file, sha256 in wanted.items() for finding in _as_planned(file, sha256)]


def _plugins(value: object) -> Iterator[Plugin]:
    if isinstance(value, Plugin):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _plugins(getattr(value, name))


def _as_planned(file: Path, sha256: str) -> list[Finding]:
    try:
        with file.open("rb") as opened:
            same = hashlib.file_digest(opened, "sha256").hexdigest() == sha256
    except OSError as error:
        return [Finding("fatal", f"{file} cannot be read: {error.strerror}", "Put it back, then launch again")]
    if same:
        return []
    return [Finding("fatal", f"{file} has changed since it was planned", "Launch again, so that it is planned anew")]
