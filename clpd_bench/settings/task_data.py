"""The data of a task of lm-eval: a data set of the hub."""

from __future__ import annotations

from typing import Annotated

from clpd_bench.settings.base import NotInKey, Settings
from clpd_bench.settings.revisions import RepositoryId, Revision


class TaskData(Settings):
    dataset: RepositoryId
    name: str | None = None
    """Which of the data set's configurations; None for its default."""
    revision: Revision = "main"
    files: Annotated[tuple[str, ...], NotInKey()] = ()
    """Patterns of the files that the task names itself; without them, those of the configuration."""
