"""Where each setting's value comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.axes import GRID
from clpd_bench.settings.written import Written
from clpd_bench.settings.yaml_reader import KeyPath, dotted

DEFAULT = "default"


@dataclass(frozen=True)
class Origin:
    """A resolved setting: `value` is JSON, `source` a file and line, `--set`, `default` or an axis."""

    key: str
    value: Any
    source: str


def origins(ablation: Ablation, written: Written) -> list[Origin]:
    """Every setting of the file in the order of its definition; one that varies has its axis too."""
    axes = {key: part for part in GRID[:2] for key in getattr(ablation, part)}
    found = []
    for path, value in _leaves(ablation.model_dump(mode="json"), ()):
        key, source = dotted(path), _source(path, written)
        axis = next((a for a in axes if path[0] not in GRID and f"{key}.".startswith(f"{a}.")), None)
        if axis is not None:
            place = written.place((axes[axis], axis))
            value = list(getattr(ablation, axes[axis])[axis]) if key == axis else value
            source = f"axis {place}" if axes[axis] == "axes" else f"one at a time {place}, base {source}"
        found.append(Origin(key, value, source))
    return found


def _leaves(value: Any, path: KeyPath) -> Iterable[tuple[KeyPath, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path:
        yield path, value


def _source(path: KeyPath, written: Written) -> str:
    """A name written short stands for all that it expands to; what a mapping leaves out is a default."""
    here: Any = written.data
    for part in path:
        if not isinstance(here, dict):
            break
        here = {str(key): value for key, value in here.items()}
        if part not in here:
            return DEFAULT
        here = here[part]
    return str(written.place(path) or DEFAULT)
