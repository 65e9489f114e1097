"""What a student's step minimises, and what of a teacher is kept for it."""

from __future__ import annotations

import ast
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import Settings, distinct, shorthand
from clpd_bench.settings.plugin import Plugin, pluggable


class DivergenceSettings(Settings):
    """(1 - ce_weight) s D + ce_weight cross-entropy, D between teacher and student at temperature T.

    Attributes:
        taught: whether a teacher says something to it.
        whole_vocabulary: whether the top k of a teacher's logits are not enough for it.
    """

    name: str
    temperature: float = Field(default=1.0, gt=0)
    ce_weight: float = Field(default=0.0, ge=0, lt=1)
    taught: ClassVar[bool] = True
    whole_vocabulary: ClassVar[bool] = False

    @property
    def scale(self) -> float:
        """s."""
        return 1.0

    @property
    def by_stage(self) -> bool:
        """Whether it is another in another stage, so that a student has stages whatever its order and its teachers."""
        return False

    def logit_blocks(self, top_k: int | None, several: bool) -> int:
        """How many blocks of float32 logits, [rows of a chunk, vocabulary] each, the loss and its gradient hold at a
        time, counted with torch's profiler (`tests/plan/cost/test_loss_blocks.py`); of a plug-in, what autograd holds
        of forward KL.

        Args:
            top_k: what is stored of the teacher; None for the whole vocabulary.
            several: whether there is a chunk before, of which some are there still.
        """
        if top_k is None:
            return 9 if several else 7
        return 6 + several


class CrossEntropy(Settings):
    """-log q(token) on the corpus's own responses."""

    name: Literal["cross_entropy"]
    taught: ClassVar[bool] = False
    by_stage: ClassVar[bool] = False

    def logit_blocks(self, top_k: int | None, several: bool) -> int:
        """As those of a divergence."""
        return 5 if several else 4


class ForwardKl(DivergenceSettings):
    """(1 - ce_weight) T^2 KL(p || q) + ce_weight cross-entropy, p and q at temperature T (Hinton 2015)."""

    name: Literal["forward_kl"]

    @property
    def scale(self) -> float:
        return self.temperature**2

    def logit_blocks(self, top_k: int | None, several: bool) -> int:
        tempered, mixed = self.temperature != 1.0, self.ce_weight > 0
        if top_k is not None:
            return 5 + tempered + mixed if several else 3 + tempered + 2 * mixed
        return 7 + tempered if several else 5 + (tempered or mixed)


class LossPlugin(DivergenceSettings, Plugin):
    """(1 - ce_weight) f(logits, labels, targets) + ce_weight cross-entropy.

    `temperature` is that of `targets.log_z`. The function gets it, and how far the run is, if it has arguments of these
    names.
    """

    kind = "loss"
    given = ("logits", "labels", "targets")
    passed_on = ("temperature", "step", "steps", "stage", "stages")

    name: Literal["plugin"]

    @property
    def by_stage(self) -> bool:
        functions = [node for node in ast.parse(self.file.read_bytes()).body if isinstance(node, ast.FunctionDef)]
        mine = [one for one in functions if one.name == self.function]
        names = {argument.arg for one in mine for argument in (*one.args.args, *one.args.kwonlyargs)}
        return not names.isdisjoint(("stage", "stages"))


_Divergences = ForwardKl | LossPlugin
DistillationLoss = Annotated[_Divergences, Field(discriminator="name"), pluggable(LossPlugin), shorthand()]
Loss = Annotated[CrossEntropy | _Divergences, Field(discriminator="name"), pluggable(LossPlugin), shorthand()]


class TargetsSettings(Settings):
    """What is stored of a teacher's distribution at each response token.

    The `top_k` largest logits with their ids (null: all), and log Z at each of `temperatures`; what
    lies outside the top k enters the loss as one residual bucket. Or, where `live`, nothing: the teacher
    runs beside the student in its steps, over the whole vocabulary and at the loss's own temperature.
    """

    live: bool = False
    top_k: int | None = Field(default=None, ge=1)
    temperatures: tuple[float, ...] = Field(default=(1.0,), min_length=1)

    @model_validator(mode="after")
    def _nothing_stored(self) -> Self:
        if self.live and self.top_k is not None:
            raise ValueError(
                f"a live teacher stores nothing, so top_k: {self.top_k} has no meaning beside live: true; leave one out"
            )
        return self

    @field_validator("temperatures")
    @classmethod
    def _no_twins(cls, value: object) -> object:
        return distinct("temperature")(value)

    @field_validator("temperatures")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) <= 0:
            raise ValueError("wants temperatures above 0")
        return tuple(sorted(value))
