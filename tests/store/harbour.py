"""What must hold after any storm: what is published is whole, never changed, and what it would have been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storm import synthetic, work_here

from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store, ledger


class Harbour:
    """Looks at a store again and again."""

    def __init__(self, root: Path, expected: dict[str, Any]) -> None:
        self.root, self.expected = root, expected
        self._manifests: dict[str, dict[str, Any]] = {}

    def look(self) -> int:
        """Whatever is published is whole and the first that was; how many that is."""
        store = Store(self.root)
        found = sorted(path.name for path in (self.root / "artifacts").glob("*"))
        for key in found:
            assert store.verify(key) == [], key
            manifest = store.manifest(key)
            assert manifest
            assert self._manifests.setdefault(key, manifest) == manifest, f"{key} was published twice"
        assert self._manifests.keys() <= set(found), "a published artifact is gone"
        return len(found)

    def arrive(self, plan: Plan | None = None) -> None:
        """A rerun completes the plan, and its outputs are those of an uninterrupted run."""
        plan = plan or synthetic()
        work_here(self.root, plan)
        assert self.look() >= len(plan.jobs)
        assert outputs(self.root, plan) == {key: self.expected[key] for key in plan.jobs}


def outputs(root: Path, plan: Plan) -> dict[str, Any]:
    """{key: hashes of its files}."""
    store = Store(root)
    return {key: (store.manifest(key) or {}).get("files") for key in plan.jobs}


def attempts(root: Path, key: str) -> list[ledger.Entry]:
    return [entry for entry in ledger.entries(root / "attempts" / key) if entry.is_attempt]


def resumed(root: Path, plan: Plan) -> int:
    """How many jobs went on from an earlier attempt's checkpoint."""
    store = Store(root)
    return sum((store.manifest(key) or {}).get("details", {}).get("resumed_from", 0) > 0 for key in plan.jobs)
