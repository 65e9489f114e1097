"""Benchmarks, and how models are scored on them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from clpd_bench.settings.base import LocalPath, Settings
from clpd_bench.settings.parts.corpus import CorpusSettings

Extract = Literal["number", "letter", "line"]
"""What the flexible filter takes for the answer: the output's last number, the choice that it decides for, or its last
line (`evaluation/scoring.py` has the grammars)."""
STRICT = "strict"
"""The answer behind the answer marker."""
STRICT_MATCH = "strict-match"
"""lm-eval's own filter of its task gsm8k, the one that published strict numbers are under."""
Gold = Literal["refuse", "drop"]
"""What becomes of an item whose own response does not get full marks: an error, or it is left out, with a ledger."""

EXTRACTED: dict[str, Extract] = {"gsm8k": "number", "svamp": "number", "commonsense_qa": "letter"}
"""By the source of the corpus; of the others there is the strict filter alone."""


Floor = Literal["larger_minus_smaller", "last_number", "most_common_answer", "uniform"]
"""What a rule scores that reads no meaning: the larger less the smaller of the question's first two numbers, its last
number, the training split's most common answer, or any one of the choices."""

OWN = {
    "generate": ("max_new_tokens", "ignore", "extract", "floor", "gold"),
    "choice": ("floor", "gold"),
    "task": ("shots", "include", "limit", "gold"),
}
"""The settings that a kind of benchmark has beside its corpus or task."""


def _listed(value: Any) -> Any:
    """One alone may stand without brackets."""
    return [value] if isinstance(value, str) else value


class Benchmark(Settings):
    """The test split of a corpus, by greedy generation scored by exact match, or (`kind: choice`) by the likelihood
    of each of an example's choices; and its response loss. Or a task of lm-eval.

    Of a corpus without `max_new_tokens` nothing is generated, and there is the response loss alone.
    """

    corpus: str | None = None
    kind: Literal["generate", "choice"] = "generate"
    task: str | None = None
    """One of lm-eval's own tasks, or of those in `include`, by name. It brings its own data, prompts, filters and
    metrics, and has neither response loss nor difficulties."""
    shots: int | None = Field(default=None, ge=0)
    """Of a task; None as the task has it."""
    include: LocalPath | None = None
    """A folder with YAML files of tasks; a data file that they name by a relative path lies in it, too."""
    limit: int | None = Field(default=None, ge=1)
    """The first documents of a task alone."""
    floor: Annotated[tuple[Floor, ...], BeforeValidator(_listed)] = ()
    """Shown beside the references; in no key: a report works it out."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    ignore: tuple[str, ...] = ()
    """Regular expressions taken out of answers before they are compared (`","`, `"\\$"`)."""
    extract: Literal["by_source", "number", "letter", "line", "none"] = "by_source"
    """The filter `flexible` beside `strict`, which wants the answer behind the answer marker; `by_source` as
    EXTRACTED has it."""
    gold: Gold = "refuse"
    """Every item's own response is read as an output before any model is trained; of a task of lm-eval its target."""

    @field_validator("ignore")
    @classmethod
    def _expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for expression in value:
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if (self.corpus is None) == (self.task is None):
            raise ValueError("wants `corpus`, one of the file's, or `task`, one of lm-eval's, and one of the two alone")
        if self.task is not None and self.kind != "generate":
            raise ValueError("a task of lm-eval says itself what kind it is: leave `kind` out")
        mine = "task" if self.task is not None else self.kind
        for name in sorted({name for names in OWN.values() for name in names} - {*OWN[mine]}):
            if getattr(self, name) != type(self).model_fields[name].default:
                what = "a task of lm-eval" if mine == "task" else f"a benchmark of kind {mine} on a corpus"
                raise ValueError(f"{what} has no `{name}`; it may have {', '.join(OWN[mine])}")
        return self

    @model_validator(mode="after")
    def _generates(self) -> Self:
        if self.kind == "choice" and set(self.floor) - {"uniform"}:
            raise ValueError("the floor of weighed choices is `uniform`; the other rules write an answer")
        if self.kind == "choice" or self.task is not None:
            return self
        if self.max_new_tokens is None and (
            self.ignore or self.extract != "by_source" or self.floor or self.gold != "refuse"
        ):
            raise ValueError("without max_new_tokens nothing is generated, so there is no answer to extract or compare")
        return self

    def extracts(self, corpus: CorpusSettings) -> Extract | None:
        """What the flexible filter takes; None where there is none."""
        if self.max_new_tokens is None or self.extract == "none":
            return None
        return EXTRACTED.get(corpus.source.name) if self.extract == "by_source" else self.extract

    def series(self, corpus: CorpusSettings) -> dict[str, tuple[str, ...]]:
        """The filters of each metric that there will be."""
        if self.kind == "choice":
            return {"acc": ("none",), "acc_norm": ("none",), "response_loss": ("none",)}
        flexible = ("flexible",) if self.extracts(corpus) else ()
        published = (STRICT_MATCH,) if self.has_strict_match(corpus) else ()
        generated = {"exact_match": (STRICT, *flexible, *published)} if self.max_new_tokens is not None else {}
        return {**generated, "response_loss": ("none",)}

    def has_strict_match(self, corpus: CorpusSettings) -> bool:
        """Whether outputs have the form that lm-eval's filter of GSM8K wants."""
        marked = corpus.answer_marker.strip() == "####"
        return self.max_new_tokens is not None and corpus.source.name == "gsm8k" and marked


class EvaluationSettings(Settings):
    benchmarks: dict[str, Benchmark] = Field(min_length=1)
    batch_size: int = Field(default=64, ge=1)
    """In the key: it can move scores."""
    dtype: Literal["float32", "bfloat16"] = "float32"

    @property
    def corpora(self) -> dict[str, str]:
        """{benchmark: its corpus}, of those that are on one."""
        return {name: one.corpus for name, one in self.benchmarks.items() if one.corpus is not None}
