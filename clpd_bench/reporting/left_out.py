"""What was left out: of corpora, because it stood in two parts of their source; of benchmarks, because the right answer
is scored wrong."""

from __future__ import annotations

from clpd_bench.corpus.reader import read_summary
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.store import Store


def overlaps_dropped(plan: Plan, store: Store) -> list[str]:
    """A sentence for each corpus whose source says what gives way, and each of its parts that lost examples."""
    return [
        sentence
        for name, key in plan.corpora.items()
        if isinstance(spec := plan.jobs[key].spec, CorpusSpec)
        and getattr(spec.corpus.source, "overlap", "refuse") != "refuse"
        and store.is_done(key)
        for sentence in _sentences(name, **read_summary(store.artifact(key))["overlap"])
    ]


def gold_dropped(plan: Plan, store: Store) -> list[str]:
    """A sentence for each benchmark that `gold: drop` took items from, and one for each filter of a task of lm-eval
    under which no target has the form of an output."""
    found: dict[str, None] = {}
    for model in (*plan.cells, *plan.references):
        for benchmark, key in model.evaluations.items():
            details = (store.manifest(key) or {}).get("details", {})
            if lost := details.get("gold_dropped"):
                found[
                    f"Benchmark {benchmark}, gold drop: {lost['items']} of {lost['of']} items "
                    f"({lost['items'] / lost['of']:.1%}) are left out: their own right answer is scored wrong, or has "
                    "no room."
                ] = None
            if unchecked := details.get("gold_unchecked"):
                found[
                    f"Benchmark {benchmark}: no target gets full marks as an output under {' and '.join(unchecked)}, "
                    "so whether right answers do is not checked there."
                ] = None
    return list(found)


def _sentences(name: str, policy: str, dropped: dict[str, dict[str, int]]) -> list[str]:
    if not dropped:
        return [f"Corpus {name}, overlap {policy}: no question stood in two parts of its source."]
    return [
        f"Corpus {name}, overlap {policy}: {lost['examples']} of {lost['of']} examples of its {part} part "
        f"({lost['examples'] / lost['of']:.0%}) stood in another part too, and were left out of it."
        for part, lost in dropped.items()
    ]
