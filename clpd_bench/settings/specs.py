"""What a job is given: the settings of its kind, without names, paths of parents or anything of the grid."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import NotInKey, Settings
from clpd_bench.settings.corpus import CorpusSettings
from clpd_bench.settings.curriculum import Order, TeacherRule
from clpd_bench.settings.difficulty import Difficulty
from clpd_bench.settings.loss import CrossEntropy, Loss, TargetsSettings
from clpd_bench.settings.model import Llama, Qwen3
from clpd_bench.settings.pacing import Pacing
from clpd_bench.settings.training import Training

Kind = Literal["corpus", "model", "difficulty", "targets", "evaluation"]


class CorpusSpec(Settings):
    """Parents: `tokenizer` (a corpus), where the tokenizer is another corpus's."""

    corpus: CorpusSettings
    file_hashes: dict[str, str] = Field(default_factory=dict)
    """sha256 of each local file by its role (`train`, `test`)."""


class DifficultySpec(Settings):
    """Parents: `corpus`; `model`, where the difficulty is a model's loss."""

    difficulty: Difficulty


class Supervision(Settings):
    """How a model is taught: by which loss, in which order, in which stages by which teacher."""

    loss: Loss = CrossEntropy(name="cross_entropy")
    order: Order
    stages: int | None = None
    """K, where order or teachers go by stage."""
    pacing: Pacing | None = None
    """Where the order is a curriculum."""
    teachers: int = 0
    """M. One supervises throughout; of several, ceil(k M / K) supervises stage k, unless `rule` says else."""
    rule: TeacherRule | None = None
    order_of: Supervision | None = None
    """Whose presentations `order: permuted` permutes."""
    teachers_of: Supervision | None = None
    """Whose pairs of example and teacher `by_difficulty` takes over."""


class ModelSpec(Settings):
    """Parents: `corpus`, `initial` (a model, unless there is an architecture), `difficulty` (if the
    order wants it), `targets.1` ... `targets.M` from the weakest teacher to the strongest.

    Without `training` the model is only initialised.
    """

    architecture: Annotated[Llama | Qwen3, Field(discriminator="name")] | None = None
    training: Training | None = None
    supervision: Supervision | None = None
    seed: int
    on_divergence: Annotated[Literal["fail", "keep_last"], NotInKey()] = "fail"
    """Where the loss or its gradient is no finite number: nothing is left, or the weights before that step.
    Not in the key: it decides whether there is an artifact, not what stands in it."""


class TargetsSpec(Settings):
    """Parents: `corpus`, `model` (the teacher)."""

    targets: TargetsSettings
    batch_tokens: Annotated[int, NotInKey()] = 8192


class BenchmarkSpec(Settings):
    """A benchmark without the name of its corpus."""

    max_new_tokens: int
    ignore: tuple[str, ...] = ()
    answer_marker: str | None
    """None where responses hold no rationale."""


class EvaluationSpec(Settings):
    """Parents: `corpus` (its test split), `model`, `difficulty` (a column of the items)."""

    benchmark: BenchmarkSpec
    batch_size: int
    dtype: Literal["float32", "bfloat16"]


Spec = CorpusSpec | DifficultySpec | ModelSpec | TargetsSpec | EvaluationSpec
SPECS: dict[Kind, type[Spec]] = {
    "corpus": CorpusSpec,
    "model": ModelSpec,
    "difficulty": DifficultySpec,
    "targets": TargetsSpec,
    "evaluation": EvaluationSpec,
}
