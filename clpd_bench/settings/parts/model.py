"""Models: what they start from, which layers they keep, what they are trained on."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from clpd_bench.settings.base import Settings
from clpd_bench.settings.parts.pretrained import Gguf, Hub, Local
from clpd_bench.settings.parts.training import Training


class Listed(Settings):
    """These, counted from 0. Written as the list alone."""

    name: Literal["list"]
    layers: tuple[int, ...]


class FirstLast(Settings):
    """The `first` first layers and the `last` last."""

    name: Literal["first_last"]
    first: int = Field(ge=0)
    last: int = Field(ge=0)


class Every(Settings):
    """Layers 0, n, 2n, ..."""

    name: Literal["every"]
    n: int = Field(ge=1)


class Cosine(Settings):
    """The `layers` that change the residual stream most.

    Of each layer: the mean, over all tokens of the first `examples` training examples by id, of the cosine
    between the hidden state that goes in and the one that comes out. Those with the smallest mean are kept;
    of equal ones, the earlier.
    """

    name: Literal["cosine"]
    layers: int = Field(ge=1)
    corpus: str
    examples: int = Field(default=64, ge=1)


def _listed(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    whole = all(isinstance(layer, int) and not isinstance(layer, bool) and layer >= 0 for layer in value)
    if not value or not whole or any(b <= a for a, b in pairwise(value)):
        raise ValueError("wants a rule, or a list of layer numbers from 0 on, each larger than the one before")
    return {"name": "list", "layers": value}


KeepLayers = Annotated[Listed | FirstLast | Every | Cosine, Field(discriminator="name"), BeforeValidator(_listed)]


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
    step: int | None = Field(default=None, ge=1)
    """As it was after this step, one of its `training.keep_steps`; None for the end."""


def _model_name(value: Any) -> Any:
    return {"name": "model", "model": value} if isinstance(value, str) else value


Architecture = Annotated[Llama | Qwen3, Field(discriminator="name")]
Initial = Annotated[
    Llama | Qwen3 | Trained | Hub | Local | Gguf, Field(discriminator="name"), BeforeValidator(_model_name)
]


class ModelSettings(Settings):
    """A model to start from, or to learn from: pretrained weights as they are or with fewer layers, a checkpoint
    of another model, and any of them trained by cross-entropy on a corpus's own responses."""

    initial: Initial
    keep_layers: KeepLayers | None = None
    """Layers of the initial model that are kept, before any training."""
    corpus: str | None = None
    training: Training | None = None
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _trained_on_something(self) -> Self:
        if (self.corpus is None) != (self.training is None):
            there, lacking = ("training", "corpus") if self.corpus is None else ("corpus", "training")
            raise ValueError(f"has a {there} and no {lacking}; give both, or neither to leave the model untrained")
        return self

    @model_validator(mode="after")
    def _fresh_weights_are_trained(self) -> Self:
        if isinstance(self.initial, Llama | Qwen3):
            if self.training is None:
                raise ValueError(f"{self.initial.name} has fresh weights, and wants a corpus and a training")
            if self.keep_layers is not None:
                raise ValueError(
                    f"{self.initial.name} has fresh weights; set its num_hidden_layers instead of keep_layers"
                )
        return self


class StudentSettings(Settings):
    """The model that every cell trains in its own way."""

    initial: Initial
    corpus: str
    training: Training
