"""Pacings: which buckets of difficulty a stage draws from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import Settings, shorthand
from clpd_bench.settings.plugin import Plugin, pluggable


class Blend(Settings):
    """Of bucket j's presentations the share (1 - strength)/K + strength [k = j] falls into stage k."""

    name: Literal["blend"]
    strength: float = Field(ge=0, le=1)


class Partition(Settings):
    """Stage k draws from bucket k alone (One-Pass): blend of strength 1."""

    name: Literal["partition"]


class Cumulative(Settings):
    """Stage k draws from buckets 1..k (Baby Step)."""

    name: Literal["cumulative"]


class Mixed(Settings):
    """Stage k draws from bucket k, and the share `replay` of its tokens from buckets 1..k-1.

    The first stage has nothing to replay.
    """

    name: Literal["mixed"]
    replay: float = Field(gt=0, lt=1)


Pacing = Annotated[
    Blend | Partition | Cumulative | Mixed | Plugin,
    Field(discriminator="name"),
    pluggable(Plugin),
    shorthand(blend="strength", mixed="replay"),
]
