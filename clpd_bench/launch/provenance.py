"""Where a result came from: revision, versions, machine."""

from __future__ import annotations

import functools
import platform
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("clpd-bench", "torch", "transformers", "lm_eval", "tokenizers", "datasets", "numpy", "pyarrow")


@functools.cache
def provenance() -> dict[str, Any]:
    """Git revision of the package's source (None outside a checkout), versions, host and processor.

    `-dirty` stands behind a revision where the package itself was edited; a report rewritten beside it
    changes nothing of where a result came from.
    """
    return {
        "git": _git_revision(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "platform": platform.platform(),
    }


def device_name() -> str:
    """The accelerator jobs of this process run on, or the processor's kind."""
    import torch  # seconds to import: only a worker, which has it already, asks

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu ({platform.machine()})"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    package = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        command = ["git", "-C", str(package), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None
