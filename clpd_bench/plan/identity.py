"""What a job is by its settings alone, whatever version of the code and of libraries makes it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from clpd_bench.plan.keys import canonical, fingerprint
from clpd_bench.plan.plan import Job
from clpd_bench.settings.specs import Spec


def settings_identity(jobs: Mapping[str, Job], key: str) -> str:
    """24 hex digits of sha256 over a job's kind and settings, seeds included, and its parents' identities by role.

    A key changes with the code that makes a job; this does not.
    """
    return settings_identities(jobs)(key)


def settings_identities(jobs: Mapping[str, Job], told: Callable[[Spec], Any] = fingerprint) -> Callable[[str], str]:
    """`settings_identity` of one plan's jobs by key, each worked out once.

    Args:
        told: what of a job's settings takes part, as plain JSON.
    """

    @functools.cache
    def of(key: str) -> str:
        job = jobs[key]
        parents = {role: of(parent) for role, parent in job.parents.items()}
        return digest({"kind": job.kind, "settings": told(job.spec), "parents": parents})

    return of


def digest(value: Any) -> str:
    """24 hex digits of sha256 over plain JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:24]
