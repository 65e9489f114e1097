"""Processor time by part, of this process and of those that it has started and waited for."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn


class Clock:
    """Attributes:
    parts: {what was done: seconds}, which add up to the process's.
    """

    def __init__(self) -> None:
        self.parts: dict[str, float] = defaultdict(float)
        self._last = 0.0

    def over(self, part: str) -> None:
        """What was done since the last call, or since the process began, was this."""
        now = sum(os.times()[:4])
        self.parts[part] += now - self._last
        self._last = now

    @contextlib.contextmanager
    def aside(self, models: Iterable[nn.Module], part: str, rest: str) -> Iterator[None]:
        """While it lasts, passes of these models are a part, and what lies between two of them is `rest`."""
        hooks = [
            hook
            for model in models
            for hook in (
                model.register_forward_pre_hook(lambda *_: self.over(rest)),
                model.register_forward_hook(lambda *_: self.over(part)),
            )
        ]
        yield
        for hook in hooks:
            hook.remove()

    def timed(self, part: str, before: str, function: Any) -> Any:
        """The same of a function."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.over(before)
            result = function(*args, **kwargs)
            self.over(part)
            return result

        return wrapped
