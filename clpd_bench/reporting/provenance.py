"""Where the numbers come from: revisions, versions, machines, dates, and in what compared cells differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clpd_bench.plan.plan import Plan
from clpd_bench.reporting.as_run import RunOtherwise, run_otherwise, settings_as_run
from clpd_bench.store import Store

_ENVIRONMENT = ("git", "device", "host", "platform", "python")
_OWN = {"attempt", "created", "files", "key", "label", "parents", "seconds", "spec"}
"""Fields that differ between any two jobs; the settings, which have a form of their own."""
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
    differing: fields in which the students, or the evaluations, of compared cells differ, and settings in no key in
        which other jobs of one kind do.
    otherwise: settings that the file has otherwise now than when jobs were run.
    first, last: dates of the oldest and newest artifact, "" without any.
    """

    environment: list[Varied]
    differing: list[Varied]
    otherwise: list[RunOtherwise]
    first: str
    last: str

    @property
    def revisions(self) -> list[str]:
        return [value for one in self.environment if one.field == "git" for value, _ in one.values if value]


def provenance(plan: Plan, store: Store, compared: list[str]) -> Provenance:
    """Of the whole plan; `compared` are the names of the baseline and of the arms tested against it."""
    manifests = {key: manifest for key in plan.jobs if (manifest := store.manifest(key)) is not None}
    dates = sorted(manifest["created"] for manifest in manifests.values())
    environment = [*_ENVIRONMENT, *sorted({f"packages.{p}" for m in manifests.values() for p in m.get("packages", {})})]
    fields = {key: manifest_fields(manifest) for key, manifest in manifests.items()}
    labelled = [(plan.jobs[key].label, mine) for key, mine in fields.items()]
    return Provenance(
        [_varied(field, labelled) for field in environment],
        [*_of_cells(plan, compared, fields), *_of_the_rest(plan, manifests)],
        run_otherwise((plan.jobs[key], manifest) for key, manifest in manifests.items()),
        dates[0] if dates else "",
        dates[-1] if dates else "",
    )


def _varied(field: str, labelled: list[tuple[str, dict[str, str]]]) -> Varied:
    """The values of a field; where a job has none (no device was used), it is left out."""
    values: dict[str, list[str]] = {}
    for label, fields in labelled:
        value = fields.get(field, "")
        if value or field == "git":
            values.setdefault(value, []).append(label)
    return Varied(field, sorted(values.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def _of_cells(plan: Plan, compared: list[str], fields: dict[str, dict[str, str]]) -> list[Varied]:
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for cell in plan.cells:
        keys = {"student": cell.model, **{f"evaluation on {name}": key for name, key in cell.evaluations.items()}}
        for what, key in keys.items():
            if cell.name in compared and key in fields:
                groups.setdefault(what, {})[f"{cell.name}/{cell.seed}"] = fields[key]
    found = []
    for what, flat in groups.items():
        for field in dict.fromkeys(field for fields in flat.values() for field in fields):
            found += _several(f"{what}: {field}", [(name, fields.get(field, "")) for name, fields in flat.items()])
    return found


def _of_the_rest(plan: Plan, manifests: dict[str, dict[str, Any]]) -> list[Varied]:
    """Teachers, targets, corpora and what else cells need: by kind, among those that have the setting."""
    ends = {key for cell in plan.cells for key in (cell.model, *cell.evaluations.values())}
    values: dict[str, list[tuple[str, str]]] = {}
    for key, manifest in manifests.items():
        if key not in ends:
            for field, value in settings_as_run(manifest).items():
                values.setdefault(f"{manifest['kind']}: {field}", []).append((plan.jobs[key].label, value))
    return [varied for field, mine in values.items() for varied in _several(field, mine)]


def _several(field: str, named: list[tuple[str, str]]) -> list[Varied]:
    """The field, where it has several values."""
    values: dict[str, list[str]] = {}
    for name, value in named:
        values.setdefault(value, []).append(name)
    return [Varied(field, sorted(values.items()))] if len(values) > 1 else []


def manifest_fields(manifest: dict[str, Any]) -> dict[str, str]:
    """{dotted field: value as text}, "" for none, less what differs between any two jobs; of the settings those that
    stand in no key."""

    def walk(value: Any, path: str) -> dict[str, str]:
        if path in _OWN or path in _OUTCOMES:
            return {}
        if isinstance(value, dict):
            return {k: v for name, inner in value.items() for k, v in walk(inner, f"{path}.{name}").items()}
        return {path: "" if value is None else str(value)}

    told = {k: v for name, inner in manifest.items() for k, v in walk(inner, name).items()}
    return {**told, **settings_as_run(manifest)}
