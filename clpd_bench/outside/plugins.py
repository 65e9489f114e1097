"""The user's own function, executed: from the very bytes that were planned, its errors told as theirs."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from clpd_bench.errors import PluginError, UserError
from clpd_bench.settings.plugin import Plugin


class Loaded:
    """A plug-in's function with its arguments; what it raises is a `PluginError`."""

    def __init__(self, plugin: Plugin, function: Callable[..., Any], passed_on: dict[str, Any]) -> None:
        self._plugin, self._function = plugin, function
        signature = inspect.signature(function)
        self._names = signature.parameters.keys()
        self._arguments = plugin.arguments | self._wanted(passed_on)
        given = dict.fromkeys(plugin.passed_on)
        try:
            signature.bind(*plugin.given, **{**self._wanted(given), **self._arguments})
        except TypeError as error:
            raise PluginError(f"{plugin.file} in {plugin.function}: {error}") from None

    def __call__(self, *given: Any, **passed_on: Any) -> Any:
        """Args:
        passed_on: what the function gets if it has an argument of that name.
        """
        try:
            return self._function(*given, **self._arguments, **self._wanted(passed_on))
        except (Exception, SystemExit) as error:  # whatever the user's code raises is told as the user's
            raise _told(error, self._plugin) from error

    def _wanted(self, passed_on: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in passed_on.items() if name in self._names}

    def refused(self, returned: object, wanted: str) -> PluginError:
        """The error of a function that returned what will not do."""
        text, where = repr(returned), f"{self._plugin.file} in {self._plugin.function}"
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        return PluginError(f"{where}: returned {shown}, and must return {wanted}")


def load(plugin: Plugin, **passed_on: Any) -> Loaded:
    """Executes the file and gives its function.

    Args:
        passed_on: settings that the function gets if it has an argument of that name.

    Raises:
        UserError: the file's bytes are not those that were planned.
        PluginError: an error of the file itself, or a function that takes other arguments.
    """
    content = _planned_bytes(plugin.file, plugin.sha256)
    module = ModuleType(f"clpd_plugin_{plugin.sha256[:16]}")
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up there
    try:
        exec(compile(content, str(plugin.file), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        raise _told(error, plugin) from error
    return Loaded(plugin, getattr(module, plugin.function), passed_on)


def _planned_bytes(file: Path, sha256: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError("the file has changed since it was planned", file=file, fix="Run the command again")
    return content


def _told(error: BaseException, plugin: Plugin) -> PluginError:
    """`mine.py:12 in my_kl: ZeroDivisionError: ...`, of the deepest frame in the user's file."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(plugin.file)]
    line, function = (f":{frames[-1].lineno}", frames[-1].name) if frames else ("", plugin.function)
    return PluginError(f"{plugin.file}{line} in {function}: {type(error).__name__}: {error}")
