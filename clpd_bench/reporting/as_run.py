"""Settings as jobs were run with, from their manifests: those in no key may be others in the file by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from clpd_bench.plan.plan import Job
from clpd_bench.settings.fingerprint import unkeyed
from clpd_bench.settings.specs import SPECS, Spec

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
