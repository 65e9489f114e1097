"""Whether the files of plug-ins hold the functions that the settings name. The files are read and never run."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.base import inside
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.plugin import DERIVED, Plugin

FITS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "float": ("a number", lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)),
    "str": ("text", lambda v: isinstance(v, str)),
    "bool": ("true or false", lambda v: isinstance(v, bool)),
}


def check_plugin(plugin: Plugin, key: str) -> None:
    """Everything that can be wrong with a plug-in and be seen without running it.

    Raises:
        UserError: no file, no Python, no such function, arguments that it does not take.
    """
    tree = _parsed(plugin.file, key)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if plugin.function not in functions:
        raise UserError(
            f"{plugin.file} has no function {plugin.function!r}",
            key=key,
            found=plugin.function,
            allowed=functions,
            fix="It is a `def` at the left margin",
        )
    _refuse_neighbours(tree, plugin.file, key)
    _check_arguments(plugin, functions[plugin.function], key)


def _parsed(file: Path, key: str) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        there = sorted(f.name for f in file.parent.glob("*.py")) if file.parent.is_dir() else []
        raise UserError(
            f"{str(file)!r} cannot be read: {error.strerror}",
            key=key,
            found=file.name,
            allowed=there or None,
            fix="A relative path starts at the ablation file's folder",
        ) from None
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UserError(f"{file}{line} is no Python: {error.args[0]}", key=key) from None


def _refuse_neighbours(tree: ast.Module, file: Path, key: str) -> None:
    """What lies beside the file is in no key, so its changes would go unseen."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        line = getattr(node, "lineno", 0)
        for name in names:
            beside = file.parent / name.split(".")[0]
            if name.startswith(".") or beside.with_suffix(".py").is_file() or (beside / "__init__.py").is_file():
                raise UserError(
                    f"{file}:{line} imports {name}, which lies beside it: only the one file's bytes are in keys",
                    key=key,
                    fix="Put what it needs into the one file, or install it as a package",
                )


def _check_arguments(plugin: Plugin, function: ast.FunctionDef, key: str) -> None:
    positional = [*function.args.posonlyargs, *function.args.args]
    kind, given, passed_on = plugin.kind, plugin.given, plugin.passed_on
    where = f"{plugin.file}:{function.lineno}"
    by_position_alone = len(function.args.posonlyargs) > len(given)
    if function.args.vararg or function.args.kwarg or by_position_alone or len(positional) < len(given):
        wanted = ", ".join([*given, "*", "its arguments by name"])
        raise UserError(
            f"{where} is no {kind}: {plugin.function} must be def {plugin.function}({wanted}), without *args and "
            "**kwargs",
            key=key,
        )
    parameters = [*positional[len(given) :], *function.args.kwonlyargs]
    by_name = {p.arg: p for p in parameters}
    # Defaults of positional parameters belong to the last of them; those by name have a list of their own.
    with_default = {p.arg for p in positional[len(positional) - len(function.args.defaults) :]}
    with_default |= {
        p.arg for p, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d is not None
    }
    own = {name for name in type(plugin).model_fields if name not in DERIVED}
    for name in by_name:
        if name in DERIVED or (name in own and name not in passed_on):
            raise UserError(f"{where}: a {kind}'s argument may not be called {name}", key=key, fix="Rename it")
    for name, value in plugin.arguments.items():
        if name in passed_on:
            raise UserError(
                f"{plugin.function} gets {name} from the run, and not from the file",
                key=f"{key}.{name}",
                fix="Leave it out, or give the function's argument another name",
            )
        if name not in by_name:
            raise UserError(
                f"{plugin.function} takes no argument {name!r} ({where})",
                key=f"{key}.{name}",
                found=name,
                allowed=[*by_name, *sorted(own - {"name", *by_name})],
            )
        _check_type(by_name[name], value, where, f"{key}.{name}")
    for name in by_name:
        if name not in with_default and name not in plugin.arguments and name not in passed_on:
            raise UserError(f"{plugin.function} wants {name} too ({where})", key=key, fix=f"Write {name}: <value>")


def _check_type(parameter: ast.arg, value: object, where: str, key: str) -> None:
    annotation = parameter.annotation
    wanted, fits = FITS.get(annotation.id if isinstance(annotation, ast.Name) else "", ("", lambda v: True))
    if not fits(value):
        raise UserError(f"wants {wanted}, and {value!r} is none ({where})", key=key)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise UserError(f"wants finite numbers, text, lists or mappings, and {value!r} is none", key=key) from None


def check_plugins(a: Ablation) -> None:
    """Raises:
    UserError: a file, a function or an argument that will not do; with its key.
    """
    for key, plugin in inside(a, Plugin):
        check_plugin(plugin, key)
