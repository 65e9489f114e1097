"""Keys, the identity of jobs; and what a model learns from, whatever version of the code makes it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from clpd_bench.plan.plan import Job
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.specs import CorpusSpec, Kind, Spec


def canonical(value: Any) -> str:
    """JSON with sorted keys and no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def job_key(kind: Kind, spec: Spec, parents: dict[str, str], code: str, libraries: dict[str, str]) -> str:
    """24 hex digits of sha256 over kind, settings, parents' keys by role, and code version.

    Args:
        libraries: versions of libraries that this kind's outcome is defined by (lm-eval for evaluations).
    """
    identity = {
        "kind": kind,
        "settings": fingerprint(spec),
        "parents": parents,
        "code": code,
        **({"libraries": libraries} if libraries else {}),
    }
    return hashlib.sha256(canonical(identity).encode()).hexdigest()[:24]


def identities(jobs: Mapping[str, Job]) -> Callable[[str], str]:
    """The identity of each of these jobs by its key: of its kind, of what there is to learn from in its settings, seeds
    included, and of its parents' identities by role. Each is worked out once.

    A key changes with the code that makes a job; this does not.
    """

    @functools.cache
    def of(key: str) -> str:
        job = jobs[key]
        return digest({"kind": job.kind, **settings_of(job.spec, job.parents, of)})

    return of


def settings_of(spec: Spec, parents: Mapping[str, str], identity: Callable[[str], str]) -> dict[str, Any]:
    """A job's settings and its parents' identities, as plain JSON."""
    return {"settings": _learnt_from(spec), "parents": {role: identity(key) for role, key in parents.items()}}


def digest(value: Any) -> str:
    """24 hex digits of sha256 over plain JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:24]


def _learnt_from(spec: Spec) -> Any:
    """Settings without what a model trained on a corpus does not depend on: its test split, and the longest example
    that it would take. A teacher is the same teacher when one test item more is asked for."""
    keyed = fingerprint(spec)
    if isinstance(spec, CorpusSpec):
        corpus, source, files = keyed["corpus"], keyed["corpus"]["source"], keyed.get("file_hashes", {})
        limit = {name: number for name, number in source.pop("limit", {}).items() if name != "test"}
        source |= {"limit": limit} if limit else {}
        for part, name in ((corpus, "max_tokens"), (source, "test"), (files, "test")):
            part.pop(name, None)
    return keyed
