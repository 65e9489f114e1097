"""Where a result came from: revision, versions, machine."""

from __future__ import annotations

import functools
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from clpd_bench.launch.revision import revision

PACKAGES = ("clpd-bench", "torch", "transformers", "lm_eval", "tokenizers", "datasets", "numpy", "pyarrow")


@functools.cache
def provenance() -> dict[str, Any]:
    """Git revision of the package's source (None outside a checkout), versions, host and processor."""
    return {
        "git": revision().name,
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
