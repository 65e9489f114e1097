"""In what the two sides differ: what the keys are made of, and what the manifests say beside."""

from __future__ import annotations

import re
from typing import NamedTuple

from clpd_bench.plan.why import Cause, causes
from clpd_bench.reporting.compared.cells import both_done
from clpd_bench.reporting.compared.side import Side
from clpd_bench.reporting.provenance import manifest_fields


class Recorded(NamedTuple):
    """A field of the manifests in which the two differ: `what` is `student` or `evaluation`."""

    what: str
    field: str
    first: str
    second: str
    cells: list[str]


def new_in_keys(one: Side, other: Side) -> dict[str, list[str]]:
    """{root cause why keys differ, where `was` is the second: arms that have it}, each arm by its first common seed."""
    out: dict[str, list[str]] = {}
    seen: dict[tuple[str, str], None] = {}
    for name, benchmark, mine, theirs in both_done(one, other):
        arm = name.rsplit("/", 1)[0]
        if (arm, benchmark) in seen:
            continue
        seen[arm, benchmark] = None
        now, before = one.known(mine), other.known(theirs)
        if now is None or before is None:
            continue
        for cause in causes(now, before, one.known, other.known):
            # A cell's own jobs are labelled with arm and seed, which are said beside.
            job = re.sub(r"^(student|evaluation|initial weights)[ /].*", r"\1", cause.job)
            arms = out.setdefault(str(Cause(job, cause.text)), [])
            if arm not in arms:
                arms.append(arm)
    return out


def recorded(one: Side, other: Side) -> list[Recorded]:
    """Versions, devices, hosts, measured numbers and all else that manifests hold and keys do not."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for name, benchmark, mine, theirs in both_done(one, other):
        pairs = {"student": (one.cells[name].model, other.cells[name].model), "evaluation": (mine, theirs)}
        for what, (a, b) in pairs.items():
            fields, others = (manifest_fields(s.store.manifest(k) or {}) for s, k in ((one, a), (other, b)))
            cell = name if what == "student" else f"{name} on {benchmark}"
            for field in dict.fromkeys([*fields, *others]):
                values = fields.get(field, ""), others.get(field, "")
                if values[0] != values[1]:
                    cells = found.setdefault((what, field, *values), [])
                    if cell not in cells:
                        cells.append(cell)
    return [Recorded(*key, cells) for key, cells in found.items()]
