"""The ablation file: one question, and all that is needed to answer it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator

from clpd_bench.settings.base import LocalPath, Settings, distinct
from clpd_bench.settings.parts.analysis import AnalysisSettings
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.curriculum import CurriculumSettings
from clpd_bench.settings.parts.evaluation import EvaluationSettings
from clpd_bench.settings.parts.loss import DistillationLoss, TargetsSettings
from clpd_bench.settings.parts.model import ModelSettings, StudentSettings
from clpd_bench.settings.parts.orders import Order
from clpd_bench.settings.parts.pacings import Partition
from clpd_bench.settings.parts.teacher_rules import TeacherRule
from clpd_bench.settings.parts.tune import TuneSettings, Values


class Arm(Settings):
    """An order of the data, a schedule of the teachers, and what else it declares to differ in.

    `differs` maps dotted keys under `student`, `loss` or `curriculum` to this arm's value; `tuned` those that
    `clpd tune` chose for it at this point of the grid, put here by `points` and never written by hand.
    """

    order: Order
    teachers: TeacherRule
    differs: dict[str, Any] = Field(default_factory=dict)
    tuned: dict[str, Any] = Field(default_factory=dict)


class Constraint(Settings):
    """A condition that no point of the grid may meet: one that has all of these values is left out.

    `constraints: [{exclude: {curriculum.pacing.strength: 1, student.training.epochs: 4}}]`
    """

    exclude: dict[str, Any] = Field(min_length=1)


class Ablation(Settings):
    """`axes` and `one_at_a_time` map dotted keys of this file to values: see `points`."""

    question: str = ""
    corpora: dict[str, CorpusSettings] = Field(min_length=1)
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    """Names of models, from the weakest to the strongest."""
    student: StudentSettings
    curriculum: CurriculumSettings = CurriculumSettings(stages=1, pacing=Partition(name="partition"))
    """May be left out where no arm goes by stage."""
    loss: DistillationLoss
    targets: TargetsSettings = TargetsSettings()
    arms: dict[str, Arm] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    axes: dict[str, Values] = Field(default_factory=dict)
    one_at_a_time: dict[str, Values] = Field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    evaluation: EvaluationSettings
    analysis: AnalysisSettings
    tune: TuneSettings | None = None
    tuned: LocalPath | None = None
    """What `clpd tune` wrote: its content decides, its path does not."""
    chosen: dict[str, dict[str, dict[str, Any]]] = Field(default_factory=dict)
    """{point: {arm: {dotted key: value}}}: put here from the file that `tuned` names, and never written by hand."""
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
