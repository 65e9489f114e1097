"""What a job is by its settings alone: jobs of one identity are to make the same thing, whatever code makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from clpd_bench.plan.keys import canonical
from clpd_bench.plan.plan import Job
from clpd_bench.settings.fingerprint import fingerprint
from clpd_bench.settings.specs import Kind, Spec


def identity_of(kind: Kind, spec: Spec, parents: Mapping[str, str], jobs: Mapping[str, Job]) -> str:
    """24 hex digits over kind, settings, and the identities of the parents by role. Versions of code and libraries
    take no part in it, as they do in keys."""
    identity = {
        "kind": kind,
        "settings": fingerprint(spec),
        "parents": {role: settings_identity(jobs, key) for role, key in parents.items()},
    }
    return hashlib.sha256(canonical(identity).encode()).hexdigest()[:24]


def settings_identity(jobs: Mapping[str, Job], key: str) -> str:
    """Of a job of a plan.

    Args:
        jobs: by key; the job's ancestors among them.
    """
    job = jobs[key]
    return identity_of(job.kind, job.spec, job.parents, jobs)
