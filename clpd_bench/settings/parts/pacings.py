"""Pacings: how stages draw from buckets of difficulty."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand
from clpd_bench.settings.plugin import Plugin, pluggable


class PacingSettings(Settings):
    equal_exposure: ClassVar[bool] = True
    """Whether every example is shown equally often."""


class Blend(PacingSettings):
    """Of bucket j's presentations the share (1 - strength)/K + strength [k = j] falls into stage k."""

    name: Literal["blend"]
    strength: float = Field(ge=0, le=1)


class Partition(PacingSettings):
    """Stage k draws from bucket k alone (One-Pass): blend of strength 1."""

    name: Literal["partition"]


class Cumulative(PacingSettings):
    """Stage k draws from buckets 1..k (Baby Step)."""

    name: Literal["cumulative"]
    equal_exposure = False


class Mixed(PacingSettings):
    """Stage k draws from bucket k, and the share `replay` of its tokens from buckets 1..k-1.

    The first stage has nothing to replay.
    """

    name: Literal["mixed"]
    replay: float = Field(gt=0, lt=1)
    equal_exposure = False


class PacingPlugin(Plugin, PacingSettings):
    kind = "pacing"
    given = ("stages",)


Pacing = Annotated[
    Blend | Partition | Cumulative | Mixed | PacingPlugin,
    Field(discriminator="name"),
    pluggable(PacingPlugin),
    shorthand(blend="strength", mixed="replay"),
]
