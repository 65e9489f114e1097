"""The one error a person is meant to read: what is wrong, where, what is allowed, how to fix it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

_SHOWN = 20


class UserError(Exception):
    """A mistake in what the user gave us. The command line prints it as one paragraph and exits with 2.

    Args:
        message: what is wrong, a sentence without its final stop.
        file: the file it stands in, with `line` where that is known.
        key: the dotted key, as `--set` would take it.
        found: the offending value.
        allowed: the values or names that would do.
        fix: what to type or to change.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
        found: object = None,
        allowed: Iterable[object] | None = None,
        fix: str | None = None,
    ) -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        self.found, self.fix = found, fix
        self.allowed = [str(a) for a in allowed] if allowed is not None else None
        super().__init__(str(self))

    @property
    def nearest(self) -> str | None:
        """The allowed name most like the one found, if any is like it."""
        if self.found is None or not self.allowed:
            return None
        close = difflib.get_close_matches(str(self.found), self.allowed, n=1, cutoff=0.6)
        return close[0] if close else None

    def at(
        self,
        *,
        message: str | None = None,
        file: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
        fix: str | None = None,
    ) -> UserError:
        """The same mistake with what is given here in the place of what it had."""
        return UserError(
            message or self.message,
            file=file or self.file,
            line=line or self.line,
            key=key or self.key,
            found=self.found,
            allowed=self.allowed,
            fix=fix or self.fix,
        )

    def _names_found(self) -> bool:
        """Whether the value found is the file itself, or stands in the message or as a part of the key."""
        if str(self.found) == str(self.file):
            return True
        word = rf"(?<!\w){re.escape(str(self.found))}(?!\w)"
        return bool(re.search(word, self.message)) or str(self.found) in (self.key or "").split(".")

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file and self.line else str(self.file or "")
        head = ": ".join(part for part in (where, self.key or "", self.message) if part)
        sentences = [head.rstrip(".") + "."]
        if self.found is not None and not self._names_found():
            sentences.append(f"Found {self.found!r}.")
        if self.nearest and self.nearest != str(self.found):
            sentences.append(f"Did you mean {self.nearest!r}?")
        if self.allowed is not None:
            more = f" and {len(self.allowed) - _SHOWN} more" if len(self.allowed) > _SHOWN else ""
            sentences.append(f"Allowed: {', '.join(self.allowed[:_SHOWN]) or 'nothing'}{more}.")
        if self.fix:
            sentences.append(self.fix.rstrip(".") + ".")
        return " ".join(sentences)


class PluginError(UserError):
    """The user's own code failed: which file, line and function of theirs, and with what."""


class Interrupted(Exception):
    """A job was asked to stop and left a checkpoint; it goes on from there when run again."""


def known(found: str, names: Iterable[str], what: str, key: str) -> None:
    """Raises:
    UserError: `found` is none of the names of what there is.
    """
    names = list(names)
    if found not in names:
        raise UserError(f"there is no {what} {found!r}", key=key, found=found, allowed=names)
