"""Names on the hub: repositories, their revisions, and the data sets of tasks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from clpd_bench.settings.base import NotInKey, Settings

COMMIT = r"^[0-9a-f]{40}$"
Commit = Annotated[str, Field(pattern=COMMIT)]
RepositoryId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?$")]
"""As the hub has it: `organisation/name`, or of some old ones `name`."""


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit written out, and so means the same for ever."""
    return re.match(COMMIT, revision) is not None


def _a_revision(value: str) -> str:
    if not re.fullmatch(r"\w[\w.+-]*(/[\w.+-]+)*", value):
        raise ValueError(f"wants a branch, a tag, or a commit with all 40 hex digits, and {value!r} is none")
    return value


Revision = Annotated[str, AfterValidator(_a_revision)]
"""A commit, all 40 hex digits; or a branch or tag, whose commit `<file>.lock` holds."""


def short(revision: str) -> str:
    """As people read it: the first 12 digits of a commit, and else all."""
    return revision[:12] if is_commit(revision) else revision


class TaskData(Settings):
    dataset: RepositoryId
    name: str | None = None
    """Which of the data set's configurations; None for its default."""
    revision: Revision = "main"
    files: Annotated[tuple[str, ...], NotInKey()] = ()
    """Patterns of the files that the task names itself; without them, those of the configuration."""
