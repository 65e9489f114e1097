"""From a file to an `Ablation`, every mistake told with its file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clpd_bench.errors import UserError
from clpd_bench.settings import overrides
from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.checks import check
from clpd_bench.settings.findings import Finding, first_finding
from clpd_bench.settings.points import check_points
from clpd_bench.settings.yaml_reader import KeyPath, dotted, parse


def load_ablation(file: Path, sets: list[str] | None = None) -> Ablation:
    """Reads, overrides, validates and cross-checks an ablation file.

    Raises:
        UserError: whatever can be known to be wrong without looking at data.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = sorted(file.parent.glob("*.yaml")) if file.parent.is_dir() else []
        raise UserError(
            "there is no such ablation file", file=file, found=str(file), allowed=siblings or None
        ) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file, fix="Give an ablation file (YAML)") from None
    except UnicodeDecodeError as error:
        raise UserError(f"is no text in UTF-8 (byte {error.start} cannot be read as such)", file=file) from None
    data, lines = parse(text, file)
    if not isinstance(data, dict):
        raise UserError("an ablation file is a mapping of settings (question, corpora, models, ...)", file=file)
    places = _Places(file, lines, [overrides.apply(data, one) for one in sets or []])
    _point_at_undeclared_differences(data, places)
    try:
        ablation = Ablation.model_validate(data, context={"folder": file.parent})
    except ValidationError as error:
        raise _told(first_finding(error, data), data, places) from None
    try:
        check(ablation)
        check_points(ablation)
    except UserError as error:
        raise places.error(
            tuple((error.key or "").split(".")), error.message, error.found, error.allowed, error.fix
        ) from None
    return ablation


class _Places:
    """Where settings come from: a line of the file, or a `--set`."""

    def __init__(self, file: Path, lines: dict[KeyPath, int], overridden: list[str]) -> None:
        self.file, self.overridden = file, overridden
        self.lines = {dotted(path): line for path, line in lines.items()}

    def has(self, path: KeyPath) -> bool:
        """Whether the file itself has this key."""
        return dotted(path) in self.lines

    def error(
        self, path: KeyPath, message: str, found: object, allowed: list[str] | None, fix: str | None
    ) -> UserError:
        key = dotted(path)
        by_set = any(key == other or key.startswith(f"{other}.") for other in self.overridden)
        while path and not self.has(path):
            path = path[:-1]
        return UserError(
            f"{message} (as --set gives it)" if by_set else message,
            file=self.file,
            line=None if by_set else self.lines.get(dotted(path)) if path else None,
            key=key,
            found=found,
            allowed=allowed,
            fix=fix,
        )


def _told(finding: Finding, data: dict[str, Any], places: _Places) -> UserError:
    path = finding.path
    if finding.missing and not places.has(path[:-1]):
        made = next(path[:i] for i in range(1, len(path)) if not places.has(path[:i]))
        names = _at(data, made[:-1])
        others = [str(name) for name in names if places.has((*made[:-1], name))] if isinstance(names, dict) else []
        if any(other.startswith(dotted(made) + ".") for other in places.overridden):
            return UserError(
                f"--set reaches into {dotted(made)}, which the file does not have",
                file=places.file,
                key=dotted(made),
                found=str(made[-1]),
                allowed=others,
            )
    return places.error(path, finding.message, finding.found, finding.allowed, finding.fix)


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _point_at_undeclared_differences(data: dict[str, Any], places: _Places) -> None:
    """A setting written straight under an arm would be a difference that nobody declared."""
    arms = data.get("arms")
    for name, arm in arms.items() if isinstance(arms, dict) else ():
        for key in arm if isinstance(arm, dict) else ():
            if str(key).split(".")[0] in ("student", "training", "loss", "curriculum", "targets"):
                raise places.error(
                    ("arms", name, key),
                    f"arm {name!r} sets {key}, a difference that it does not declare",
                    None,
                    None,
                    "Arms of a comparison differ in order and teachers alone; anything else stands under "
                    "the arm's `differs:`, as in differs: {student.training.learning_rate: 1e-3}",
                )
