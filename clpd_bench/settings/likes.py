"""`like:`: an arm that is another one but for what it says itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.written import Written, on_top
from clpd_bench.settings.yaml_reader import KeyPath


def expand(written: Written, told: Callable[[KeyPath, UserError], UserError]) -> None:
    """Puts the arm that each `like:` names underneath the arm's own keys, in place.

    Args:
        told: gives an error its file and line.

    Raises:
        UserError: there is no such arm, or arms that are like each other in a circle.
    """
    arms = written.data.get("arms")
    if isinstance(arms, dict):
        for name in arms:
            _expand(written, arms, name, [], told)


def _expand(
    written: Written, arms: dict[Any, Any], name: Any, asked: list[Any], told: Callable[[KeyPath, UserError], UserError]
) -> None:
    arm = arms[name]
    if not isinstance(arm, dict) or "like" not in arm:
        return
    other, at = arm["like"], ("arms", str(name), "like")
    if not isinstance(other, str) or other not in arms:
        raise told(at, UserError(f"there is no arm {other!r}", found=other, allowed=map(str, arms)))
    if other in [*asked, name]:
        raise told(
            at,
            UserError(f"arm {name!r} is like arm {other!r}, and that one in the end like {name!r}",
                      fix="Write one of them out"),
        )  # fmt: skip
    _expand(written, arms, other, [*asked, name], told)
    mine = written.inside(("arms", name))
    del mine.data["like"]
    mine.forget(("like",))
    if isinstance(arms[other], dict):
        written.replace(("arms", name), on_top(written.inside(("arms", other)), mine))
