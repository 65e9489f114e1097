"""Code versions: a number in the key while the code of a kind is as recorded, its hash once edited."""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import io
import sys
import tokenize
import tomllib
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from clpd_bench.errors import UserError
from clpd_bench.settings.specs import Kind

PACKAGE = "clpd_bench"
ROOT = Path(__file__).resolve().parent.parent
STRINGS = (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))  # f-strings apart from 3.12 on


@functools.cache
def code_hash(kind: Kind) -> str:
    """16 hex digits over the import closure, within this package, of `jobs/<kind>.py`."""
    closure = sorted(import_closure(f"{PACKAGE}.jobs.{kind}"))
    digest = hashlib.sha256()
    for module in closure:
        digest.update(f"{module}\x00{_bare_source(module)}\x00".encode())
    return digest.hexdigest()[:16]


def import_closure(module: str) -> set[str]:
    """Modules of this package that `module` imports, directly or through others, and itself."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_imports(name))
    return seen


def _file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split(".")[1:])
    return next((f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()), None)


@functools.cache
def _imports(module: str) -> frozenset[str]:
    file = _file(module)
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8") if file else "")):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                is_module = name.startswith(PACKAGE) and _file(name)
                found.add(name if is_module else node.module)
    return frozenset(name for name in found if name.split(".")[0] == PACKAGE)


@functools.cache
def _bare_source(module: str) -> str:
    file = _file(module)
    return bare(file.read_text(encoding="utf-8")) if file else ""


def bare(source: str) -> str:
    """Source without comments, docstrings (and other bare strings), blank lines and trailing white space.

    Inside a string of several lines nothing is left out.
    """
    lines = source.split("\n")
    inside_string: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column]
        elif token.type in STRINGS:
            inside_string.update(range(row, token.end[0]))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            first, last = node.lineno, node.end_lineno or node.lineno
            before = lines[first - 1].encode()[: node.col_offset]
            behind = lines[last - 1].encode()[node.end_col_offset :]
            lines[first - 1 : last] = [(before + behind).decode(), *[""] * (last - first)]
            inside_string.difference_update(range(first, last))
    return "\n".join(
        line if row in inside_string else line.rstrip()
        for row, line in enumerate(lines, start=1)
        if row in inside_string or line.strip()
    )


FILE = Path(__file__).with_name("versions.toml")
KINDS: tuple[Kind, ...] = get_args(Kind)
_HEAD = """\
# The code version of each kind of job: a number, and the hash of the code that it stands for.
# Not written by hand: make versions BUMP=model (its outputs change) or SAME=model (they don't).
"""


@dataclass(frozen=True)
class CodeVersion:
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
def recorded() -> dict[Kind, CodeVersion]:
    """What versions.toml says; a kind that it does not name is not in it.

    Raises:
        UserError: it does not open.
    """
    try:
        tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return {
            kind: CodeVersion(int(tables[kind]["number"]), str(tables[kind]["code"])) for kind in KINDS & tables.keys()
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
        one = known.get(kind, CodeVersion(0, ""))
        if kind in bump | same:
            one = replace(one, number=max(one.number + (kind in bump), 1), code=code_hash(kind))
        if one.number:
            new[kind] = one
    tables = [f'\n[{kind}]\nnumber = {one.number}\ncode = "{one.code}"\n' for kind, one in new.items()]
    FILE.write_text(_HEAD + "".join(tables), encoding="utf-8")
    recorded.cache_clear()


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
