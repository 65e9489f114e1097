"""Files that jobs will read: there, and as they were planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from clpd_bench.digests import sha256_of
from clpd_bench.errors import UserError
from clpd_bench.hub import cache
from clpd_bench.launch.fetching import fetch
from clpd_bench.launch.slurm.preflight.finding import Finding
from clpd_bench.launch.slurm.preflight.paths import MOUNTS, everywhere
from clpd_bench.plan.needs import Need, needs
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.plugin import Plugin
from clpd_bench.settings.pretrained import Start
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.starts import files_of

S = TypeVar("S", bound=BaseModel)
MOVE_CACHE = "Let HF_HUB_CACHE name a folder there, and fetch again"


def check_inputs(plan: Plan, todo: set[str]) -> list[Finding]:
    """The user's own functions, the texts of corpora and the pretrained weights that are still to be read, and what
    is a hub's, which is fetched if it is not in the cache."""
    wanted: dict[tuple[Path, ...], str] = {}
    for key in (key for key in plan.jobs if key in todo):
        spec = plan.jobs[key].spec
        wanted |= {(plugin.file,): plugin.sha256 for plugin in _inside(spec, Plugin)}
        wanted |= {files: sha256 for start in _starts(plan, key) for files, sha256 in files_of(start)}
        if isinstance(spec, CorpusSpec):
            wanted |= {(file,): spec.file_hashes[role] for role, file in spec.corpus.source.local_files.items()}
    found = [finding for files, sha256 in wanted.items() for finding in _as_planned(files, sha256)]
    # A model and its tokenizer are two needs, of which the same may be said.
    return found + list(dict.fromkeys(finding for need in needs(plan, todo) for finding in _fetched(need)))


def check_weights_everywhere(plan: Plan, todo: set[str], shared: tuple[Path, ...]) -> list[Finding]:
    """Whether nodes see the local weights that models are still to be made of, and the hub's cache, if it is read."""
    models = [key for key in plan.jobs if key in todo and plan.jobs[key].kind == "model"]
    files = [paths for key in models for start in _starts(plan, key) for paths, _ in files_of(start)]
    folders = dict.fromkeys(path.parent for paths in files for path in paths)
    found = [
        one for folder in folders for one in everywhere("pretrained weights", folder, shared, MOUNTS, "Put them there")
    ]
    return found + (everywhere("the hub's cache", cache(), shared, MOUNTS, MOVE_CACHE) if needs(plan, todo) else [])


def _starts(plan: Plan, key: str) -> Iterator[Start]:
    return _inside(plan.jobs[key].spec, Start)


def _fetched(need: Need) -> list[Finding]:
    try:
        fetch(need)
    except UserError as error:
        return [Finding("fatal", error.message, error.fix or "Fetch it where there is a network")]
    return []


def _inside(value: object, kind: type[S]) -> Iterator[S]:
    """The settings of a kind that stand in a spec."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _inside(getattr(value, name), kind)


def _as_planned(files: tuple[Path, ...], sha256: str) -> list[Finding]:
    file = files[0]
    try:
        same = sha256_of(*files) == sha256
    except OSError as error:
        told = f"{error.filename or file} cannot be read: {error.strerror}"
        return [Finding("fatal", told, "Put it back, then launch again")]
    if same:
        return []
    return [Finding("fatal", f"{file} has changed since it was planned", "Launch again, so that it is planned anew")]
