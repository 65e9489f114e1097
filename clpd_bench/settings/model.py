"""Models: what they start from and what they are trained on."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from clpd_bench.settings.base import Settings
from clpd_bench.settings.training import Training


class _Decoder(Settings):
    """A decoder-only transformer from a configuration, with transformers' names."""

    hidden_size: int = Field(ge=1)
    num_hidden_layers: int = Field(default=2, ge=1)
    num_attention_heads: int = Field(ge=1)
    intermediate_size: int | None = Field(default=None, ge=1)
    """Default 4 x hidden_size."""
    initializer_range: float | Literal["inverse_sqrt"] = "inverse_sqrt"
    """Standard deviation of the initial weights. `inverse_sqrt` is hidden_size ** -0.5: small models
    stay at chance for long under transformers' default of .02."""
    max_position_embeddings: int = Field(default=512, ge=1)
    tie_word_embeddings: bool = False

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % (2 * self.num_attention_heads):
            raise ValueError(
                f"hidden_size {self.hidden_size} is no even multiple of num_attention_heads "
                f"{self.num_attention_heads} (rotary embeddings want an even head size)"
            )
        return self


class Llama(_Decoder):
    name: Literal["llama"]


class Qwen3(_Decoder):
    name: Literal["qwen3"]


class Trained(Settings):
    """Another model of the file, as its training left it."""

    name: Literal["model"]
    model: str


def _model_name(value: Any) -> Any:
    return {"name": "model", "model": value} if isinstance(value, str) else value


Architecture = Annotated[Llama | Qwen3, Field(discriminator="name")]
Initial = Annotated[Llama | Qwen3 | Trained, Field(discriminator="name"), BeforeValidator(_model_name)]


class ModelSettings(Settings):
    """A model trained by cross-entropy on a corpus's own responses: a teacher, a pretrained start."""

    initial: Initial
    corpus: str
    training: Training
    seed: int = Field(default=0, ge=0)


class StudentSettings(Settings):
    """The model that every cell trains in its own way."""

    initial: Initial
    corpus: str
    training: Training
