"""What is new in a job's key since an earlier artifact, down to the root causes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from clpd_bench.plan.differences import flat
from clpd_bench.plan.plan import Job
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.specs import SPECS, Kind

ABSENT = object()
HASH_DIGITS = 16
OWNER = "owner"
"""A model's setting that is made of its others, of which what is new is told."""


@dataclass(frozen=True)
class Known:
    """All that a key is made of, as far as it is known.

    Attributes:
        spec: the settings with their defaults, flat.
        fingerprint: what of them stands in the key, flat, and can be a cause.
        known_form: whether they have the form of this version; otherwise `fingerprint` is all of `spec`.
        code, libraries: None where nobody wrote them down.
    """

    key: str
    kind: str
    label: str
    spec: dict[str, Any]
    fingerprint: dict[str, Any]
    known_form: bool
    parents: dict[str, str]
    code: str | None
    libraries: dict[str, str] | None


@dataclass(frozen=True)
class Cause:
    """A root cause.

    Attributes:
        job: the label of the job whose key it stands in; "" for what is common to all jobs of a kind.
        text: what is new.
    """

    job: str
    text: str

    def __str__(self) -> str:
        return f"{self.job}: {self.text}" if self.job else self.text


Lookup = Callable[[str], Known | None]


def of_job(job: Job) -> Known:
    return of_record(job.key, {**vars(job), "spec": job.spec.model_dump(mode="json")})


def of_record(key: str, record: Mapping[str, Any]) -> Known:
    """Of a manifest, or of a job in a stored plan; either may be older than this code."""
    spec = flat(record["spec"])
    known_form = True
    try:
        in_key = flat(fingerprint(SPECS[cast(Kind, record["kind"])].model_validate(record["spec"])))
    except (ValidationError, KeyError):
        in_key, known_form = spec, False  # settings have another form now
    in_key = {path: value for path, value in in_key.items() if path != OWNER}
    return Known(
        key,
        record["kind"],
        record["label"],
        spec,
        in_key,
        known_form,
        dict(record["parents"]),
        record.get("code") or None,
        record.get("libraries"),
    )


def causes(now: Known, before: Known, now_of: Lookup, before_of: Lookup) -> list[Cause]:
    """Why the keys of `now` and `before` differ, each cause once; [] for equal keys.

    Args:
        now_of, before_of: the parents by their keys, None where nothing is known of one.
    """
    seen: set[tuple[str, str]] = set()

    def walk(new: Known, old: Known, name: str) -> Iterator[Cause]:
        if new.key == old.key or (new.key, old.key) in seen:
            return
        seen.add((new.key, old.key))
        found = [*_own(new, old, name)]
        moved = False
        for role, old_role in _pairs(new, old, now_of, before_of):
            parent, earlier = (now_of(new.parents[role]) if role else None), None
            if old_role:
                earlier = before_of(old.parents[old_role])
            moved = moved or (bool(role and old_role) and new.parents[role] != old.parents[old_role])
            if not (role and old_role) or new.parents[role] != old.parents[old_role] or role != old_role:
                found += [*_between(name, role, old_role, parent, earlier)]
            if parent and earlier and parent.label == earlier.label:
                found += [*walk(parent, earlier, called(new.kind, role, parent.label))]
        if not found and not moved:
            found = [Cause(name, "the same settings, parents and code have another key: a default is new")]
        yield from found

    return list(dict.fromkeys(walk(now, before, now.label)))


def called(child: str, role: str, label: str) -> str:
    """What people call a parent: a model that gives targets is a teacher."""
    return f"teacher {label.removeprefix('model ')}" if (child, role) == ("targets", "model") else label


def _own(new: Known, old: Known, name: str) -> Iterator[Cause]:
    """What is new in the job itself."""
    mine = new.fingerprint if old.known_form else new.spec
    for path in dict.fromkeys([*mine, *old.fingerprint]):
        is_now, was = mine.get(path, ABSENT), old.fingerprint.get(path, ABSENT)
        if is_now == was:
            continue
        if path.startswith("file_hashes."):
            yield Cause(name, f"the bytes of {path.removeprefix('file_hashes.')} changed")
            continue
        # A default stands in no key, but people want to see it.
        shown = [_shown(one.spec.get(path, one.fingerprint.get(path, ABSENT))) for one in (old, new)]
        yield Cause(name, f"settings: {path} was {shown[0]}, is {shown[1]}")
    if new.code != old.code:
        yield Cause("", f"code of kind {new.kind}: {_versions(old.code, new.code)}")
    libraries, earlier = new.libraries or {}, old.libraries or {}
    for package in sorted(libraries.keys() | earlier.keys()):
        was, is_now = (versions.get(package, "not written down") for versions in (earlier, libraries))
        if was != is_now:
            yield Cause("", f"{package}: version {was} -> {is_now}")


def _versions(was: str | None, is_now: str | None) -> str:
    shown = [
        "not written down" if one is None else one if len(one) < HASH_DIGITS else f"edited ({one}), not recorded"
        for one in (was, is_now)
    ]
    return f"version {shown[0]} -> {shown[1]}"


def _shown(value: Any) -> str:
    return "not there" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def _pairs(new: Known, old: Known, now_of: Lookup, before_of: Lookup) -> Iterator[tuple[str, str]]:
    """(role now, role before) of parents that stand for each other, "" where one side has none.

    Targets go by their labels, since a teacher more shifts the numbers of all that are stronger.
    """

    def labels(one: Known, lookup: Lookup) -> dict[str, str]:
        targets = {role: lookup(key) for role, key in one.parents.items() if role.startswith("targets.")}
        return {parent.label: role for role, parent in targets.items() if parent}

    mine, theirs = labels(new, now_of), labels(old, before_of)
    pairs = {role: theirs[label] for label, role in mine.items() if label in theirs}
    left = [role for role in old.parents if role not in pairs.values()]
    for role in new.parents:
        if role not in pairs:
            pairs[role] = role if role in left else ""
    yield from pairs.items()
    yield from (("", role) for role in left if role not in pairs.values())


def _between(name: str, role: str, old_role: str, parent: Known | None, earlier: Known | None) -> Iterator[Cause]:
    """What is new in which parent stands where."""
    if role and old_role and role != old_role and parent:
        yield Cause(name, f"{parent.label} was {old_role}, is {role}")
    elif not (role and old_role):
        one = parent or earlier
        label = one.label if one else "something that the store does not know"
        yield Cause(name, f"{label} is {'new' if role else 'gone'} as {role or old_role}")
    elif not (parent and earlier):
        yield Cause(name, f"{parent.label if parent else role} is another; nothing is kept of the earlier one")
    elif parent.label != earlier.label:
        yield Cause(name, f"{role} was {earlier.label}, is {parent.label}")
