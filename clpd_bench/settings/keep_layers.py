"""Which layers of a model a smaller one keeps."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from clpd_bench.settings.base import Settings


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
