"""`make versions`: says whether the code of each kind is the recorded one, and records it."""

from __future__ import annotations

import argparse
import sys

from clpd_bench.errors import UserError
from clpd_bench.plan.code import code_hash
from clpd_bench.plan.versions import KINDS, mismatches, record, recorded
from clpd_bench.settings.specs import Kind


def kinds(text: str) -> frozenset[Kind]:
    """`model,targets`, or `all`.

    Raises:
        UserError: there is no such kind.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (*KINDS, "all"):
            raise UserError("there is no such kind of job", found=name, allowed=(*KINDS, "all"))
    return frozenset(kind for kind in KINDS if kind in names or "all" in names)


def report() -> str:
    """A line for each kind, and what to do where one does not match."""
    open_kinds = mismatches()
    lines = []
    for kind in KINDS:
        one = recorded().get(kind)
        version = f"version {one.number}" if one else "no version"
        state = f"edited: {code_hash(kind)}, not recorded" if kind in open_kinds else "matches"
        lines.append(f"{kind:<11}{version:<12}{state}")
    if open_kinds:
        names = ",".join(open_kinds)
        lines += [
            "",
            f"Edited: {', '.join(open_kinds)}. These jobs and what is made of them would run again. Say which it is:",
            f"  make versions BUMP={names}   outputs change: the next version",
            f"  make versions SAME={names}   outputs stay: the same version, nothing runs again",
        ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 where `--check` finds code that is not recorded, or 2 for a mistake in the arguments."""
    parser = argparse.ArgumentParser(prog="make versions", description=__doc__)
    parser.add_argument("--bump", default="", metavar="KIND,...", help="outputs change: the next version")
    parser.add_argument("--same", default="", metavar="KIND,...", help="outputs do not change: the same version")
    parser.add_argument("--check", action="store_true", help="fail where the code is not the recorded one")
    given = parser.parse_args(arguments)
    try:
        bump, same = kinds(given.bump), kinds(given.same)
        if bump & same:
            raise UserError(f"{', '.join(sorted(bump & same))}: outputs either change (BUMP) or not (SAME)")
        if bump | same:
            record(bump, same)
        print(report())
        return int(given.check and bool(mismatches()))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
