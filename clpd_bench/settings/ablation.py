"""The ablation file: one question, and all that is needed to answer it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator

from clpd_bench.settings.analysis import AnalysisSettings
from clpd_bench.settings.base import Settings, distinct
from clpd_bench.settings.corpus import CorpusSettings
from clpd_bench.settings.curriculum import CurriculumSettings, Order, TeacherRule
from clpd_bench.settings.evaluation import EvaluationSettings
from clpd_bench.settings.loss import DistillationLoss, TargetsSettings
from clpd_bench.settings.model import ModelSettings, StudentSettings


class Arm(Settings):
    """An order of the data, a schedule of the teachers, and what else it declares to differ in.

    `differs` maps dotted keys under `student`, `loss` or `curriculum` to this arm's value.
    """

    order: Order
    teachers: TeacherRule
    differs: dict[str, Any] = Field(default_factory=dict)


class Ablation(Settings):
    question: str = ""
    corpora: dict[str, CorpusSettings] = Field(min_length=1)
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    """Names of models, from the weakest to the strongest."""
    student: StudentSettings
    curriculum: CurriculumSettings
    loss: DistillationLoss
    targets: TargetsSettings = TargetsSettings()
    arms: dict[str, Arm] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    evaluation: EvaluationSettings
    analysis: AnalysisSettings
    _folder: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Any, /) -> None:
        self._folder = (context or {}).get("folder", Path())

    @property
    def folder(self) -> Path:
        """Where relative paths start: the ablation file's folder."""
        return self._folder

    @field_validator("teachers")
    @classmethod
    def _distinct_teachers(cls, value: object) -> object:
        return distinct("teacher")(value)

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: object) -> object:
        return distinct("seed")(value)
