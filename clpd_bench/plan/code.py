"""The hash of the source that the body of a kind of job can reach.

Source text with comments, docstrings and blank lines left out: a syntax tree's dump would vary with
Python's version.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
from pathlib import Path

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
