"""What is left in the store before outcomes are put before somebody: word of what they will have seen."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import replace

from clpd_bench.plan.plan import Evaluated, Job, Plan
from clpd_bench.reporting.shown import Shown
from clpd_bench.store import Store

UNRECORDED = (
    "The store cannot be written, so no word is left in it of what is shown here: what is declared from now on, seeds "
    "that are added too, would not be known to have been declared after a look."
)


def leave_word(outcomes: Mapping[str, Shown], store: Store) -> bool:
    """Register a look at these outcomes, if there are any; whether that could be written."""
    if not outcomes:
        return True
    names: dict[frozenset[str], str] = {}
    content = {}
    try:
        for key, one in outcomes.items():
            if one.items not in names:
                names[one.items] = store.keep_items(one.items)
            content[key] = {"arm": one.arm, "setting": one.setting, "seed": one.seed, "items": names[one.items]}
        store.look(content)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return False
    return True


def cells_of(job: Job, plan: Plan) -> list[Evaluated]:
    """The cells whose outcomes somebody finds who is told where a job's files lie: those of a student, or, of an
    evaluation, its cell with that evaluation alone."""
    return [
        replace(cell, evaluations={name: key for name, key in cell.evaluations.items() if job.key in (cell.model, key)})
        for cell in plan.cells
        if job.key in (cell.model, *cell.evaluations.values())
    ]
