"""What a job is given: the settings of its kind, without names, paths of parents or anything of the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from clpd_bench.settings.base import NotInKey, Settings
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.difficulty import Difficulty
from clpd_bench.settings.parts.evaluation import Extract, Gold
from clpd_bench.settings.parts.hub import TaskData
from clpd_bench.settings.parts.loss import CrossEntropy, Loss, TargetsSettings
from clpd_bench.settings.parts.model import KeepLayers, Llama, Qwen3
from clpd_bench.settings.parts.orders import Order
from clpd_bench.settings.parts.pacings import Pacing
from clpd_bench.settings.parts.pretrained import Start
from clpd_bench.settings.parts.teacher_rules import TeacherRule
from clpd_bench.settings.parts.training import Training

Kind = Literal["corpus", "model", "difficulty", "targets", "evaluation"]

STUDENT = "student"
"""Who owns the random streams of every student, whatever its settings."""


class CorpusSpec(Settings):
    """Parents: `tokenizer` (a corpus), where the tokenizer is another corpus's."""

    corpus: CorpusSettings
    file_hashes: dict[str, str] = Field(default_factory=dict)
    """sha256 of each local file by its role (`train`, `test`)."""
    tokenizer_of: Start | None = None
    """Where the tokenizer comes from, under `tokenizer: of:<model>`."""


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
    live: bool = False
    """Whether teachers run beside the student; else their stored targets are read."""
    rule: TeacherRule | None = None
    """Who supervises when, where that is not `weak_to_strong`."""
    order_of: Supervision | None = None
    """Whose presentations `order: permuted` permutes."""
    teachers_of: Supervision | None = None
    """Whose pairs of example and teacher `by_difficulty` takes over."""


class ModelSpec(Settings):
    """One of five things, by what is given:

    `architecture` alone: fresh weights. Parents: `corpus`, for its tokenizer.
    `start`: pretrained weights, brought in as they are. No parents.
    `keep_layers`: another model with fewer layers. Parents: `initial`; `corpus` for the rule `cosine`.
    `step`: another model as it was after that step. Parents: `initial`.
    `training`: a model trained. Parents: `corpus`, `initial` (a model, unless there is an architecture),
    `difficulty` (if the order wants it), `targets.1` ... `targets.M` (live: `teacher.1` ... `teacher.M`) from
    the weakest teacher to the strongest.
    """

    architecture: Annotated[Llama | Qwen3, Field(discriminator="name")] | None = None
    start: Start | None = None
    keep_layers: KeepLayers | None = None
    step: int | None = None
    training: Training | None = None
    supervision: Supervision | None = None
    seed: int
    owner: str = STUDENT
    """Whose random streams it draws from: the students', or of any other model what identifies its settings."""
    on_divergence: Annotated[Literal["fail", "keep_last"], NotInKey()] = "fail"
    """Where the loss or its gradient is no finite number: nothing is left, or the weights before that step.
    Not in the key: it decides whether there is an artifact, not what stands in it."""


class TargetsSpec(Settings):
    """Parents: `corpus`, `model` (the teacher)."""

    targets: TargetsSettings
    batch_tokens: Annotated[int, NotInKey()] = 8192


class BenchmarkSpec(Settings):
    """Generation, or response loss alone, without the name of the corpus."""

    max_new_tokens: int | None
    """None where nothing is generated."""
    ignore: tuple[str, ...] = ()
    extract: Extract | None = None
    """What the flexible filter takes for the answer; None without one."""
    answer_marker: str | None
    """None where responses hold no rationale."""
    stops: tuple[str, ...] = ()
    """Texts beside the end token that end an output."""
    strict_match: bool = False
    """Whether lm-eval's own filter of GSM8K stands beside ours."""
    gold: Gold = "refuse"


class ChoiceSpec(Settings):
    """The likelihood of each of an example's choices."""

    kind: Literal["choice"]
    gold: Gold = "refuse"


class TaskSpec(Settings):
    """A task of lm-eval's, or of a folder."""

    task: str
    shots: int | None = None
    limit: int | None = None
    gold: Gold = "refuse"
    include: Annotated[Path | None, NotInKey()] = None
    include_hashes: dict[str, str] = Field(default_factory=dict)
    """sha256 of each file of the folder by its path in it."""
    sha256: str | None = None
    """Of a task of lm-eval's own, as its file has it (see `task_files`); None where it is not pinned."""
    data: TaskData | None = None
    """None where they are no hub's, or found by the task's own code, or nobody has pinned the task."""


READ = "read."
"""In front of a number, the role of a corpus that an evaluated model has read."""


class EvaluationSpec(Settings):
    """Parents: `model`; `read.1`, `read.2` ... (the corpora that it, its teachers and what they come from were trained
    on, with which tested questions are compared; none for validation items); and, but for a task of lm-eval, `corpus`,
    and `difficulty` (a column of the items) where the ablation names one."""

    benchmark: BenchmarkSpec | ChoiceSpec | TaskSpec
    batch_size: int
    dtype: Literal["float32", "bfloat16"]
    split: Literal["test", "validation"] = "test"
    """Of the corpus. No result is one of validation items: they say whether the teachers rise."""


Spec = CorpusSpec | DifficultySpec | ModelSpec | TargetsSpec | EvaluationSpec
SPECS: dict[Kind, type[Spec]] = {
    "corpus": CorpusSpec,
    "model": ModelSpec,
    "difficulty": DifficultySpec,
    "targets": TargetsSpec,
    "evaluation": EvaluationSpec,
}
