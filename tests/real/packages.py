"""Files of Python packages that hold weights."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest


def packaged(package: str, file: str) -> Path:
    """A file of a package, which is not imported."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        lacking = f"the package {package} is not installed (pip install 'clpd-bench[real]')"
        if os.environ.get("CLPD_REQUIRE_REAL") == "1":
            pytest.fail(lacking)
        pytest.skip(lacking)
    return Path(folders[0]) / file
