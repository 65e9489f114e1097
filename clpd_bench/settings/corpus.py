"""Where examples come from, and how they become tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from clpd_bench.settings.base import LocalPath, Settings, shorthand
from clpd_bench.settings.plugin import CorpusPlugin, pluggable


class ChainedSums(Settings):
    """`3+4-2?` answered step by step, modulo a small base: `3+4=0;0-2=5:5`.

    Lengths take turns, so each number of operations has its share of the training examples. A
    question's split follows from a hash of its text, whatever else is asked for.
    """

    name: Literal["chained_sums"]
    modulus: int = Field(default=7, ge=2, le=10)
    operations: tuple[int, int] = (1, 6)
    """Fewest and most operations in a question."""
    train: int = Field(ge=1)
    validation: int = Field(default=200, ge=1)
    test: int = Field(default=300, ge=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("operations")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("wants two whole numbers, the fewest (1 or more) and the most operations")
        return value


class Limit(Settings):
    """How many examples of a split to keep: those whose ids (hashes) come first."""

    train: int | None = Field(default=None, ge=1)
    test: int | None = Field(default=None, ge=1)


class Jsonl(Settings):
    """A file of one JSON object a line, or one JSON array of objects.

    `question`, `rationale`, `answer` and `columns` name fields; dots reach inside (`question.stem`).
    With `split_on`, the answer field holds the rationale and, behind that string, the result.
    """

    name: Literal["jsonl"]
    train: LocalPath
    test: LocalPath
    question: str = "question"
    rationale: str | None = None
    answer: str = "answer"
    split_on: str | None = None
    columns: tuple[str, ...] = ()
    """Further fields to carry along, numbers, for `difficulty: column:<name>`."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the training file's questions carved out, by hash, for validation."""
    limit: Limit = Limit()


class Characters(Settings):
    """One token a character."""

    name: Literal["characters"]


class Bpe(Settings):
    """Byte-level byte-pair encoding, trained on the corpus's own training split."""

    name: Literal["bpe"]
    vocabulary_size: int = Field(default=1024, ge=260)


class SameAs(Settings):
    """The tokenizer of another corpus of the file."""

    name: Literal["same_as"]
    corpus: str


Source = Annotated[
    ChainedSums | Jsonl | CorpusPlugin, Field(discriminator="name"), pluggable(CorpusPlugin), shorthand()
]
Tokenizer = Annotated[Characters | Bpe | SameAs, Field(discriminator="name"), shorthand(same_as="corpus")]


class CorpusSettings(Settings):
    """Examples, their text form and their tokens.

    The prompt is `prompt` with `{question}` filled in. The response is the rationale, the
    `answer_marker` and the answer; of a source without rationales, the answer alone.
    """

    source: Source
    tokenizer: Tokenizer
    prompt: str = "{question}"
    answer_marker: str = "\n#### "
    max_tokens: int = Field(default=512, ge=4)
    """Longest prompt + response + end token. A longer example is an error, never cut."""

    @field_validator("prompt")
    @classmethod
    def _has_question(cls, value: str) -> str:
        if value.count("{question}") != 1:
            raise ValueError("wants the text around the question, with {question} in it once")
        return value

    @property
    def columns(self) -> tuple[str, ...]:
        """The number columns that `difficulty: column:<name>` may name."""
        return ("operations",) if isinstance(self.source, ChainedSums) else self.source.columns

    @property
    def has_rationale(self) -> bool:
        source = self.source
        if isinstance(source, Jsonl):
            return bool(source.rationale or source.split_on)
        return source.rationale if isinstance(source, CorpusPlugin) else True
