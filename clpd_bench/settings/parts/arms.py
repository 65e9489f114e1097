"""An arm's settings: those of the file, with what the arm declares to differ in."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.file import merge
from clpd_bench.settings.file.explain import first_mistake
from clpd_bench.settings.parts.ablation import Ablation
from clpd_bench.settings.plugin import Plugin

MAY_DIFFER = ("student", "loss", "curriculum")


def resolve(ablation: Ablation, arm: str) -> Ablation:
    """The ablation as this arm sees it: with what it declares to differ in, then with what was tuned for it.

    Raises:
        UserError: `differs:` names a key that does not exist, or gives it a value that will not do.
    """
    differs, tuned = ablation.arms[arm].differs, ablation.arms[arm].tuned
    if not differs and not tuned:
        return ablation
    data = ablation.model_dump()
    key = f"arms.{arm}.{'differs' if differs else 'tuned'}"
    for path, value in {**differs, **tuned}.items():
        if path.split(".")[0] not in MAY_DIFFER:
            raise UserError(
                f"arms may not differ in {path!r}", key=key, allowed=[f"{part}.<key>" for part in MAY_DIFFER]
            )
        merge.put(data, path, value, source=key)
    try:
        return Ablation.model_validate(data, context={"folder": ablation.folder})
    except ValidationError as error:
        found = first_mistake(error, data, Ablation).error()
        raise found.at(message=f"{found.key}: {found.message}", key=key) from None


def identity(ablation: Ablation, arm: str) -> dict[str, Any]:
    """What makes an arm the one that it is, whatever was tuned for it: its order, its teachers, and under `differs`
    each setting as it is when it is resolved; all as fingerprints, so that a plug-in is its bytes and not its path."""
    mine, settings = ablation.arms[arm], resolve(ablation, arm)
    differs = {path: fingerprint(_at(settings, path)) for path in mine.differs}
    return {"order": fingerprint(mine.order), "teachers": fingerprint(mine.teachers), "differs": differs}


def _at(settings: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(settings, Plugin) and part not in type(settings).model_fields:
            settings = settings.arguments
        settings = settings[part] if isinstance(settings, dict) else getattr(settings, part)
    return settings
