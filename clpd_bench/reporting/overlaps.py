"""What corpora left out because it stood in two parts of their source."""

from __future__ import annotations

from typing import Any

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Plan
from clpd_bench.store import Store


def overlaps_dropped(plan: Plan, store: Store) -> list[str]:
    """A sentence for each corpus whose source says what gives way, and each of its parts that lost examples."""
    return [
        sentence
        for name, key in plan.corpora.items()
        if store.is_done(key) and (found := read_summary(store.artifact(key)).get("overlap"))
        for sentence in _sentences(name, found["policy"], found["dropped"])
    ]


def _sentences(name: str, policy: str, dropped: dict[str, dict[str, Any]]) -> list[str]:
    if not dropped:
        return [f"Corpus {name}, overlap {policy}: no question stood in two parts of its source."]
    return [
        f"Corpus {name}, overlap {policy}: {lost['examples']} of {lost['of']} examples of its {part} part "
        f"({lost['examples'] / lost['of']:.0%}) stood in another part too, and were left out of it, first "
        f"{lost['first'][0][:60]!r}."
        for part, lost in dropped.items()
    ]
