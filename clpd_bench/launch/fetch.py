"""What a plan needs of the hub, brought into its cache before any worker starts: workers ask no hub.

What stands on a branch or tag may be planned, and not run: a key must mean the same tomorrow.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from pathlib import Path

from clpd_bench.errors import UserError
from clpd_bench.outside.hub import cached_folder, fetched_folder
from clpd_bench.outside.lm_eval_tasks import Folder, task_folder
from clpd_bench.outside.weights import require_weights
from clpd_bench.plan.lock import Need, Tokenizer, named, needs, unpinned
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.parts.pretrained import Hub
from clpd_bench.settings.specs import TaskSpec
from clpd_bench.store import Store


def fetch(need: Need) -> None:
    """Into the hub's cache, unless it is there.

    Raises:
        UserError: it is not there whole, and cannot be fetched.
    """
    if lacking(need) is not None:
        _whole(need, fetched_folder)


def lacking(need: Need) -> str | None:
    """What of a pinned need is not in the hub's cache, a sentence; None where it is there whole. Asks no hub."""
    try:
        _whole(need, cached_folder)
    except UserError as error:
        return error.message
    return None


def fetch_all(plan: Plan, store: Store, keys: Collection[str] | None = None) -> None:
    """All that is still wanted, of some of the plan's jobs alone if `keys` says which; raises as `fetch`."""
    todo = [key for key in (plan.jobs if keys is None else keys) if not store.is_done(key)]
    for need in needs(plan, todo):
        if lacking(need) is not None:
            print(f"fetching {named(need).text} ...", file=sys.stderr)
            _whole(need, fetched_folder)


def _whole(need: Need, folder: Folder) -> None:
    if isinstance(need, TaskSpec):
        if need.data:
            task_folder(need.data, folder)
    elif isinstance(need, Tokenizer):
        folder(need.of.model, need.of.revision, need.of.tokenizer_patterns, "model")
    elif isinstance(need, Hub):
        require_weights(folder(need.model, need.revision, need.patterns, "model"), need)
    else:
        assert need.revision is not None
        patterns = list(need.hub_files.values())
        found = folder(need.dataset, need.revision, patterns, "dataset")
        _require_files(found, patterns, f"data set {need.dataset} at revision {need.revision}")


def _require_files(folder: Path, patterns: Sequence[str], what: str) -> None:
    """A cache that knows nothing of a repository's files cannot say that some are missing: one at least is there."""
    there = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    for pattern in patterns:
        if not any(fnmatch(path, pattern) for path in there):
            raise UserError(
                f"{what} has no file {pattern}, or it is not in the hub's cache",
                found=pattern,
                allowed=there or None,
                fix="Correct the path; or, where there is a network, fetch it: `clpd lock FILE --fetch`",
            )


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
