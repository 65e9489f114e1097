"""The hub's libraries, in this process, as they would be in one that was started with other variables.

`huggingface_hub` and `datasets` read HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE and the like once, when they are imported,
into the two modules of `SETTINGS`, and look there at each use; a token they take from the environment or from the file
that a setting names. Their connection is made at the first use, with the proxies of that moment. That is all for a
call that looks up, fetches or reads. One that evaluates imports `evaluate`, which reads the environment too, and
belongs into a process.
"""

from __future__ import annotations

import importlib
import os
import runpy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import close_session

SETTINGS = ("huggingface_hub.constants", "datasets.config")
"""The second reads the first."""
PLAIN = (str, bool, int, float, frozenset, Path, type(None))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, `variables` are the environment, and what the libraries read when they were imported."""
    modules = [importlib.import_module(name) for name in SETTINGS]
    with pytest.MonkeyPatch.context() as patch:
        for name in {*os.environ} - {*variables}:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        for module in modules:
            assert module.__file__
            # Not a list of names to patch: what a library reads tomorrow is read here, too.
            for name, value in runpy.run_path(module.__file__).items():
                if not name.startswith("__") and isinstance(value, PLAIN) and value != getattr(module, name):
                    patch.setattr(module, name, value)
        close_session()
        try:
            yield
        finally:
            close_session()
