"""Keys: the identity of a job is a hash of all that can change its output, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from clpd_bench.settings.fingerprint import fingerprint
from clpd_bench.settings.specs import Kind, Spec


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
