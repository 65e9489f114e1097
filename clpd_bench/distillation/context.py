"""What the work of a job is given beside its settings and inputs: where to keep what survives, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Context:
    """Attributes:
    checkpoints: a folder of this attempt's own; what lies there survives the attempt.
    earlier: checkpoint folders of earlier attempts, newest first.
    should_stop: whether to leave a checkpoint and raise `Interrupted`.
    progress: called with (done, of) as the work goes on.
    checkpointed: called after each checkpoint.
    """

    checkpoints: Path
    earlier: list[Path] = field(default_factory=list)
    should_stop: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda done, of: None
    checkpointed: Callable[[], None] = lambda: None
