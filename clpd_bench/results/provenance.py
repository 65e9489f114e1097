"""Where the numbers come from, by manifests: revisions, versions, machines, dates, settings as run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from clpd_bench.plan.plan import Job, Plan
from clpd_bench.settings.base import unkeyed
from clpd_bench.settings.specs import SPECS, Spec
from clpd_bench.store import Store

OLDER = "of a form that this version does not read"


@dataclass(frozen=True)
class RunOtherwise:
    """A setting in no key with which jobs were made, and which the plan has otherwise now.

    Attributes:
        now, then: as text, "" for none.
        jobs: their labels.
    """

    setting: str
    now: str
    then: str
    jobs: list[str]


def spec_of(manifest: Mapping[str, Any]) -> Spec | None:
    """What a job was given; None where it has a form that this version does not read."""
    try:
        return SPECS[manifest["kind"]].model_validate(manifest["spec"])
    except (ValidationError, KeyError):
        return None


def settings_as_run(manifest: Mapping[str, Any]) -> dict[str, str]:
    """{`settings.<dotted key>`: value as text} of what stands in no key; the rest is as the key says."""
    spec = spec_of(manifest)
    return {"settings": OLDER} if spec is None else settings_text(spec)


def settings_text(spec: Spec) -> dict[str, str]:
    return {f"settings.{key}": str(value) for key, value in unkeyed(spec).items()}


def run_otherwise(jobs: Iterable[tuple[Job, Mapping[str, Any]]]) -> list[RunOtherwise]:
    """Of jobs of a plan with their manifests, each setting that differs, with the jobs that it differs in."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for job, manifest in jobs:
        now, then = settings_text(job.spec), settings_as_run(manifest)
        for key in dict.fromkeys([*now, *then] if "settings" not in then else then):
            if now.get(key, "") != then.get(key, ""):
                setting = f"{job.kind}: {key.removeprefix('settings.')}"
                found.setdefault((setting, now.get(key, ""), then.get(key, "")), []).append(job.label)
    return [RunOtherwise(*what, labels) for what, labels in found.items()]


_ENVIRONMENT = ("git", "device", "host", "platform", "python")
_OWN = {"attempt", "created", "files", "flops", "key", "label", "parents", "seconds", "spec"}
"""Fields that differ between any two jobs (FLOPs by how batches are padded and how much is generated: what they come
to stands under Cost); the settings, which have a form of their own."""
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

    fields = {k: v for name, inner in manifest.items() for k, v in walk(inner, name).items()}
    return {**fields, **settings_as_run(manifest)}
