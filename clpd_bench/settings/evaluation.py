"""Benchmarks, and how models are scored on them."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from clpd_bench.settings.base import Settings


class Benchmark(Settings):
    """The test split of a corpus: greedy generation scored by exact match, and response loss."""

    corpus: str
    max_new_tokens: int = Field(ge=1)
    ignore: tuple[str, ...] = ()
    """Regular expressions taken out of answers before they are compared (`","`, `"\\$"`)."""

    @field_validator("ignore")
    @classmethod
    def _expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for expression in value:
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is no regular expression: {error}") from None
        return value


class EvaluationSettings(Settings):
    benchmarks: dict[str, Benchmark] = Field(min_length=1)
    batch_size: int = Field(default=64, ge=1)
    """In the key: it can move scores."""
    dtype: Literal["float32", "bfloat16"] = "float32"
