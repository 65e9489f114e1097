"""Examples, how they become tokens, and how many are expected before they are made."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import NotInKey, Settings, shorthand
from clpd_bench.settings.parts.sources import Source


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


class Of(Settings):
    """The tokenizer of the pretrained weights that a model of the file goes back to."""

    name: Literal["of"]
    model: str


Tokenizer = Annotated[
    Characters | Bpe | SameAs | Of, Field(discriminator="name"), shorthand(same_as="corpus", of="model")
]


class Chat(Settings):
    """Prompts by the tokenizer's chat template: what `prompt` makes of the question is the user's turn, the worked
    examples are earlier turns, the response is the assistant's, and the token that the template puts behind it the end
    token."""

    system: str | None = None
    """The system message: a text, or `default` for the one that the template has of its own. Without it, a template
    that puts one in is refused. (`default` also lets in what else a template writes in front, such as dates.)"""
    arguments: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """What the template is given beside the messages, as `enable_thinking: false`. A template that asks for today's
    date wants `date_string`."""


class CorpusSettings(Settings):
    """Examples, their text form and their tokens.

    The prompt is `prompt` with `{question}` filled in. The response is `response_start`, the rationale, the
    `answer_marker` and the answer; of a source without rationales, without the rationale and the marker.
    """

    source: Source
    tokenizer: Tokenizer
    prompt: str = "{question}"
    """Of the named data sets, unless there is `chat`: `"Question: {question}\\nAnswer:"`.

    Prompt and response are tokenised apart, since a model that answers has read the prompt alone. Most pretrained
    tokenizers have tokens that begin with a space (` She`). A prompt that ends with that space (`"Answer: "`) leaves
    `She` to the response, a token that hardly ever stands there in running text: end the prompt before the space, and
    let the response begin with it."""
    response_start: str = ""
    """Text between prompt and response, learnt with the response: of the named data sets, unless there is
    `chat`, one space."""
    shots: int = Field(default=0, ge=0)
    """Worked examples in front of each prompt: those of the training split whose ids come first, the same for
    all. They are taken out of the training split."""
    chat: Chat | None = None
    answer_marker: str = "\n#### "
    max_tokens: int = Field(default=512, ge=4)
    """Longest prompt + response + end token. A longer example is an error, never cut."""
    expected: Annotated[Expected | None, NotInKey()] = None
    """For the cost of a plan, until the corpus is made."""

    @model_validator(mode="before")
    @classmethod
    def _form_of_named(cls, value: Any) -> Any:
        source = value.get("source") if isinstance(value, dict) else None
        name = source.get("name") if isinstance(source, dict) else getattr(source, "name", source)
        if name not in ("gsm8k", "svamp", "commonsense_qa") or value.get("chat") is not None:
            return value
        return {"prompt": "Question: {question}\nAnswer:", "response_start": " ", **value}

    @field_validator("prompt")
    @classmethod
    def _has_question(cls, value: str) -> str:
        if value.count("{question}") != 1:
            raise ValueError("wants the text around the question, with {question} in it once")
        return value

    @field_validator("response_start")
    @classmethod
    def _white_space(cls, value: str) -> str:
        if value.strip():
            raise ValueError("wants white space, or nothing")
        return value

    @model_validator(mode="after")
    def _chat_is_a_models_own(self) -> Self:
        if self.chat is not None and isinstance(self.tokenizer, Characters | Bpe):
            raise ValueError(
                f"chat wants the tokenizer of a pretrained model, and {self.tokenizer.name} has no chat template"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The number columns that `difficulty: column:<name>` may name."""
        return self.source.columns

    @property
    def next_question(self) -> str | None:
        """What the prompt has in front of a question, `Question:`, where a line of its own says so: an output that
        goes on with it has ended before."""
        line = self.prompt.partition("{question}")[0].rpartition("\n")[2].strip()
        return line if line.endswith(":") else None

    @property
    def has_rationale(self) -> bool:
        return self.source.has_rationale
