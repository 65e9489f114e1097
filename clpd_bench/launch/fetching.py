"""A hub's models, fetched before any worker starts: workers ask no hub."""

from __future__ import annotations

from collections.abc import Collection

from clpd_bench.hub import hub_folder
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.pretrained import Hub
from clpd_bench.settings.specs import ModelSpec
from clpd_bench.starts import require_weights
from clpd_bench.store import Store


def hub_models(plan: Plan, todo: Collection[str]) -> list[Hub]:
    """Those that models to be made are brought in from."""
    specs = [plan.jobs[key].spec for key in plan.jobs if key in todo]
    starts = [spec.start for spec in specs if isinstance(spec, ModelSpec) and spec.start]
    return list(dict.fromkeys(start.source for start in starts if isinstance(start.source, Hub)))


def fetch(model: Hub) -> None:
    """Into the hub's cache, unless it is there.

    Raises:
        UserError: it is not there whole, and cannot be fetched.
    """
    require_weights(hub_folder(model.model, model.revision, model.patterns, "model"), model)


def fetch_all(plan: Plan, store: Store) -> None:
    """All that is still wanted; raises as `fetch`."""
    for model in hub_models(plan, [key for key in plan.jobs if not store.is_done(key)]):
        fetch(model)
