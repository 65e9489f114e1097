"""Where the numbers come from: revisions, versions, machines, dates, and in what compared cells differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clpd_bench.plan.plan import Evaluated, Plan
from clpd_bench.store import Store

_ENVIRONMENT = ("git", "device", "host", "platform", "python")
_OWN = {"attempt", "created", "files", "key", "label", "parents", "seconds", "spec"}
"""Fields that differ between any two jobs, or that the settings decide (told as settings)."""
_OUTCOMES = {"details.consumed", "details.validation", "details.chosen", "details.stopped_early"}


@dataclass(frozen=True)
class Varied:
    """A field and its values, each with what has it."""

    field: str
    values: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Provenance:
    """Attributes:
    environment: every field that tells the code and the machine, with its values and the labels of jobs.
    differing: fields in which the students, or the evaluations, of compared cells differ.
    first, last: dates of the oldest and newest artifact, "" without any.
    """

    environment: list[Varied]
    differing: list[Varied]
    first: str
    last: str

    @property
    def revisions(self) -> list[str]:
        return [value for one in self.environment if one.field == "git" for value, _ in one.values if value]


def provenance(plan: Plan, store: Store, compared: list[str]) -> Provenance:
    """Of the whole plan; `compared` are the names of the baseline and of the arms tested against it."""
    manifests = {key: manifest for key in plan.jobs if (manifest := store.manifest(key)) is not None}
    labelled = {plan.jobs[key].label: manifest for key, manifest in manifests.items()}
    mine = [cell for cell in plan.cells if cell.name in compared]
    dates = sorted(manifest["created"] for manifest in manifests.values())
    environment = [*_ENVIRONMENT, *sorted({f"packages.{p}" for m in manifests.values() for p in m.get("packages", {})})]
    flat = {label: manifest_fields(manifest) for label, manifest in labelled.items()}
    return Provenance(
        [_varied(field, flat) for field in environment],
        _differing(mine, manifests),
        dates[0] if dates else "",
        dates[-1] if dates else "",
    )


def _varied(field: str, flat: dict[str, dict[str, str]]) -> Varied:
    """The values of a field; where a job has none (no device was used), it is left out."""
    values: dict[str, list[str]] = {}
    for label, fields in flat.items():
        value = fields.get(field, "")
        if value or field == "git":
            values.setdefault(value, []).append(label)
    return Varied(field, sorted(values.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def _differing(cells: list[Evaluated], manifests: dict[str, dict[str, Any]]) -> list[Varied]:
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for cell in cells:
        keys = {"student": cell.model, **{f"evaluation on {name}": key for name, key in cell.evaluations.items()}}
        for what, key in keys.items():
            if key in manifests:
                groups.setdefault(what, {})[f"{cell.name}/{cell.seed}"] = manifest_fields(manifests[key])
    found = []
    for what, flat in groups.items():
        for field in dict.fromkeys(field for fields in flat.values() for field in fields):
            values: dict[str, list[str]] = {}
            for name, fields in flat.items():
                values.setdefault(fields.get(field, ""), []).append(name)
            if len(values) > 1:
                found.append(Varied(f"{what}: {field}", sorted(values.items())))
    return found


def manifest_fields(manifest: dict[str, Any]) -> dict[str, str]:
    """{dotted field: value as text}, "" for none, less what differs between any two jobs."""

    def walk(value: Any, path: str) -> dict[str, str]:
        if path in _OWN or path in _OUTCOMES:
            return {}
        if isinstance(value, dict):
            return {k: v for name, inner in value.items() for k, v in walk(inner, f"{path}.{name}").items()}
        return {path: "" if value is None else str(value)}

    return {k: v for name, inner in manifest.items() for k, v in walk(inner, name).items()}
