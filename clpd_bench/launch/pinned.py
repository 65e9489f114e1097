"""What stands on a branch or tag may be planned, and not run: a key must mean the same tomorrow."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

from clpd_bench.errors import UserError
from clpd_bench.plan.needs import unpinned
from clpd_bench.plan.plan import Plan


def require_pinned(plan: Plan, sets: list[str] | None = None, todo: Collection[str] | None = None) -> None:
    """
    Args:
        sets: what `--set` said, which no lock knows.
        todo: keys of the jobs that are to run; all by default.

    Raises:
        UserError: a model, data set or task is not pinned to a commit; all of them are named.
    """
    loose = unpinned(plan, todo)
    if not loose:
        return
    fix = f"Pin it where there is a network: `clpd lock {shlex.quote(plan.file)}`"
    if sets:
        fix += ". What --set alone names is in no lock: give its `revision` as a commit, or name it in a file"
    raise UserError(f"not pinned to a commit: {', '.join(loose)}", file=Path(plan.file), fix=fix)
