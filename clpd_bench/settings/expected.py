"""How large a corpus is expected to be, before it is made."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from clpd_bench.settings.base import Settings


class Expected(Settings):
    """Examples and their tokens, as a data set's paper or a count of one's own has them. What the cost of a plan is
    reckoned with until the corpus is made; it changes nothing else."""

    train: int = Field(ge=1)
    """Examples, without those that are taken for validation and as worked examples."""
    validation: int = Field(ge=1)
    test: int = Field(ge=1)
    prompt_tokens: float = Field(gt=0)
    """Of an example, on average; worked examples and a chat template included."""
    response_tokens: float = Field(gt=0)
    """Of an example, on average; the end token included."""
    longest: int = Field(ge=2)
    """Tokens of the longest example, prompt and response."""
    source: str = Field(min_length=1)
    """Where these numbers are from, for whoever checks them."""

    @model_validator(mode="after")
    def _mean_below_longest(self) -> Self:
        if self.prompt_tokens + self.response_tokens > self.longest:
            raise ValueError(
                f"the mean example has {self.prompt_tokens + self.response_tokens:g} tokens (prompt_tokens + "
                f"response_tokens), more than the longest, {self.longest}"
            )
        return self
