"""Which module holds the body of a kind. Imported when asked for: torch and lm-eval are slow to load."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clpd_bench.jobs.context import Context, Measured
from clpd_bench.settings.specs import Kind

Body = Callable[[Any, dict[str, Path], Path, Context], Measured]


def body(kind: Kind) -> Body:
    """The `run` of `clpd_bench/jobs/<kind>.py`."""
    run: Body = importlib.import_module(f"clpd_bench.jobs.{kind}").run
    return run
