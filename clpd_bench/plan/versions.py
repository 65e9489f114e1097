"""Code versions as they go into keys: a number while the code is as recorded, its hash once edited."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from clpd_bench.errors import UserError
from clpd_bench.plan.code import code_hash
from clpd_bench.settings.specs import Kind

FILE = Path(__file__).with_name("versions.toml")
KINDS: tuple[Kind, ...] = get_args(Kind)
_HEAD = """\
# The code version of each kind of job: a number, and the hash of the code that it stands for.
# Not written by hand: make versions BUMP=model (its outputs change) or SAME=model (they don't).
"""


@dataclass(frozen=True)
class Recorded:
    """The version of a kind's code, and the hash of the code that it is the version of."""

    number: int
    code: str


def code_version(kind: Kind) -> str:
    """What goes into a key: the number, where the code has the recorded hash, or else the hash itself.

    Raises:
        UserError: the record does not open.
    """
    found = code_hash(kind)
    known = recorded().get(kind)
    return str(known.number) if known and known.code == found else found


@functools.cache
def recorded() -> dict[Kind, Recorded]:
    """What versions.toml says; a kind that it does not name is not in it.

    Raises:
        UserError: it does not open.
    """
    try:
        tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return {
            kind: Recorded(int(tables[kind]["number"]), str(tables[kind]["code"])) for kind in KINDS & tables.keys()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the record of code versions cannot be read: {error}",
            file=FILE,
            fix="In a merge take either side of each kind, the higher number where they differ, "
            "then say what your change is: make versions BUMP=KIND or SAME=KIND",
        ) from None


def mismatches() -> list[Kind]:
    """The kinds whose code is not the recorded one."""
    known = recorded()
    return [kind for kind in KINDS if kind not in known or known[kind].code != code_hash(kind)]


def record(bump: Set[Kind], same: Set[Kind]) -> None:
    """Records the code as it is now, for kinds in `bump` as the next version, in `same` as the old one."""
    known = recorded()
    new = {}
    for kind in KINDS:
        one = known.get(kind, Recorded(0, ""))
        if kind in bump | same:
            one = replace(one, number=max(one.number + (kind in bump), 1), code=code_hash(kind))
        if one.number:
            new[kind] = one
    tables = [f'\n[{kind}]\nnumber = {one.number}\ncode = "{one.code}"\n' for kind, one in new.items()]
    FILE.write_text(_HEAD + "".join(tables), encoding="utf-8")
    recorded.cache_clear()
