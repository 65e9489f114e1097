"""What the body of a job is given and gives back, and which module holds the body of a kind.

Bodies are imported when asked for: torch and lm-eval are slow to load.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clpd_bench.distillation.context import Context
from clpd_bench.settings.specs import Kind


@dataclass(frozen=True)
class Measured:
    """What a job cost, for the manifest. Seconds are the worker's to measure.

    Attributes:
        tokens: tokens that went through a model.
        flops: floating-point operations, by `flops.passes` of what was read.
        details: anything else worth a line in the manifest.
    """

    tokens: int = 0
    flops: int = 0
    details: dict[str, Any] = field(default_factory=dict)


Body = Callable[[Any, dict[str, Path], Path, Context], Measured]


def body(kind: Kind) -> Body:
    """The `run` of `clpd_bench/jobs/<kind>.py`."""
    run: Body = importlib.import_module(f"clpd_bench.jobs.{kind}").run
    return run
