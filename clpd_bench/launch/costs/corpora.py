"""The texts of a plan's corpora, made or expected."""

from __future__ import annotations

import numpy as np

from clpd_bench.corpus.reader import Split, read_split
from clpd_bench.launch.costs.texts import Texts
from clpd_bench.plan.plan import Plan
from clpd_bench.settings.expected import Expected
from clpd_bench.settings.specs import CorpusSpec
from clpd_bench.store import Store

CHOICES = {"commonsense_qa": 5}
"""Of each example, by the source of its corpus."""


class Corpora:
    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan, self._store = plan, store
        self._texts: dict[tuple[str, str], Texts | None] = {}

    def texts(self, corpus: str, split: str) -> Texts | None:
        """Of `train`, `validation` or `test`; None where the corpus is not made and nothing is declared of it."""
        place = (corpus, split)
        if place not in self._texts:
            self._texts[place] = self._find(corpus, split)
        return self._texts[place]

    def _find(self, corpus: str, split: str) -> Texts | None:
        spec = self._plan.jobs[corpus].spec
        assert isinstance(spec, CorpusSpec)
        if self._store.is_done(corpus):
            return _counted(read_split(self._store.artifact(corpus), split))
        expected = spec.corpus.expected
        return None if expected is None else _declared(expected, split, CHOICES.get(spec.corpus.source.name))


def _counted(split: Split) -> Texts:
    choices = None
    if "choices" in split.table.column_names:
        choices = np.array([len(one) for one in split.texts("choices")])
    prompts, responses = (part.lengths.astype(np.float64) for part in (split.prompts, split.responses))
    return Texts(prompts, responses, int(split.tokens.max()), False, split.ids, choices)


def _declared(expected: Expected, split: str, choices: int | None) -> Texts:
    examples = {"train": expected.train, "validation": expected.validation, "test": expected.test}[split]
    return Texts(
        np.full(examples, expected.prompt_tokens),
        np.full(examples, expected.response_tokens),
        expected.longest,
        estimated=True,
        choices=None if choices is None else np.full(examples, choices),
    )
