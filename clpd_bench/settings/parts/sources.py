"""Where examples come from: made, files, a hub, a function of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import LocalPath, NotInKey, Settings, shorthand
from clpd_bench.settings.parts.hub import RepositoryId, Revision
from clpd_bench.settings.plugin import CorpusPlugin, Overlap, pluggable

LocalFile = Annotated[LocalPath | None, NotInKey()]
Share = Annotated[float, Field(gt=0, lt=1)]


class ChainedSums(Settings):
    """`3+4-2?` answered step by step, modulo a small base: `3+4=0;0-2=5:5`.

    Lengths take turns, so each number of operations has its share of the training examples. A
    question's split follows from a hash of its text, whatever else is asked for.
    """

    name: Literal["chained_sums"]
    modulus: int = Field(default=7, ge=2, le=10)
    operations: tuple[int, int] = (1, 6)
    """Fewest and most operations in a question."""
    train: int = Field(ge=1)
    validation: int = Field(default=200, ge=1)
    test: int = Field(default=300, ge=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("operations")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("wants two whole numbers, the fewest (1 or more) and the most operations")
        return value

    @property
    def columns(self) -> tuple[str, ...]:
        return ("operations",)

    @property
    def has_rationale(self) -> bool:
        return True

    @property
    def local_files(self) -> dict[str, Path]:
        return {}


class Limit(Settings):
    """How many examples of a split to keep: those whose ids (hashes) come first."""

    train: int | None = Field(default=None, ge=1)
    test: int | None = Field(default=None, ge=1)


class _Split(Settings):
    """What all sources of a training and a test part have in common."""

    validation: Share = 0.1
    """Share of the training part's questions carved out, by hash, for validation."""
    limit: Limit = Limit()
    overlap: Overlap = "refuse"
    """Where a question stands in the training and in the test part."""


class _Fields(_Split):
    """`question`, `rationale`, `answer` and `columns` name fields of a row; dots reach inside (`question.stem`).
    With `split_on`, the answer field holds the rationale and, behind that string, the result."""

    question: str = "question"
    rationale: str | None = None
    answer: str = "answer"
    split_on: str | None = None
    columns: tuple[str, ...] = ()
    """Further fields to carry along, numbers, for `difficulty: column:<name>`."""

    @property
    def has_rationale(self) -> bool:
        return bool(self.rationale or self.split_on)


class Jsonl(_Fields):
    """Local files of rows: one JSON object a line, one JSON array of objects, or parquet (`.parquet`)."""

    name: Literal["jsonl"]
    train: LocalPath
    test: LocalPath

    @property
    def local_files(self) -> dict[str, Path]:
        return {"train": self.train, "test": self.test}


class HubRows(_Fields):
    """Files of rows, as `jsonl` has them, out of a data set repository of the hub at one commit: the revision, or
    what `<file>.lock` holds for it."""

    name: Literal["hub"]
    dataset: RepositoryId
    revision: Revision = "main"
    train: str
    """The file's path in the repository. With `*` in it: all files that match, in the order of their names."""
    test: str

    @property
    def local_files(self) -> dict[str, Path]:
        return {}

    @property
    def hub_files(self) -> dict[str, str]:
        return {"train": self.train, "test": self.test}


class _Published(_Split):
    """A data set in its original form: out of local files, or with `revision` out of the hub."""

    FILES: ClassVar[tuple[str, ...]]
    """Fields that name local files; all of them are wanted."""
    HUB_FILES: ClassVar[dict[str, str]]
    """Paths in the hub's repository, with `*`, by what they hold."""

    revision: Revision | None = None
    """Of the hub's data set: a commit, or as `main` a branch whose commit `<file>.lock` holds."""

    @model_validator(mode="after")
    def _local_or_hub(self) -> Self:
        given = [name for name in self.FILES if getattr(self, name) is not None]
        if given if self.revision else len(given) < len(self.FILES):
            raise ValueError(
                f"wants either local files ({', '.join(self.FILES)}) or a revision of the hub's data set (main); "
                f"given: {', '.join([*given, *(['revision'] if self.revision else [])]) or 'neither'}"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @property
    def has_rationale(self) -> bool:
        return True

    @property
    def local_files(self) -> dict[str, Path]:
        return {} if self.revision else {name: getattr(self, name) for name in self.FILES}

    @property
    def hub_files(self) -> dict[str, str]:
        return self.HUB_FILES


class Gsm8k(_Published):
    """GSM8K: grade-school word problems with worked solutions. Thousands commas are taken out of the results."""

    FILES = ("train", "test")
    HUB_FILES: ClassVar[dict[str, str]] = {"train": "main/train-*.parquet", "test": "main/test-*.parquet"}

    name: Literal["gsm8k"]
    dataset: RepositoryId = "openai/gsm8k"
    train: LocalFile = None
    test: LocalFile = None
    calculator: bool = False
    """Whether rationales keep their calculator annotations (`<<48/2=24>>`)."""


class Svamp(_Published):
    """SVAMP: word problems of one or two operations, the equation as the rationale.

    It is published as one array; 3 in 10 of its questions (of its 1,000: 300), those with the highest hashes, are
    the test split. The hub's two parts are put together and split the same way, so that a corpus does not depend on
    where it came from.
    """

    FILES = ("file",)
    HUB_FILES: ClassVar[dict[str, str]] = {"train": "data/train-*.parquet", "test": "data/test-*.parquet"}

    name: Literal["svamp"]
    dataset: RepositoryId = "ChilleD/SVAMP"
    file: LocalFile = None


class CommonsenseQa(_Published):
    """CommonsenseQA: a question and five lettered choices; no rationales.

    The published test split has no labels. The published validation split, which has, is `test` here.
    """

    FILES = ("train", "test")
    HUB_FILES: ClassVar[dict[str, str]] = {"train": "data/train-*.parquet", "test": "data/validation-*.parquet"}

    name: Literal["commonsense_qa"]
    dataset: RepositoryId = "tau/commonsense_qa"
    train: LocalFile = None
    test: LocalFile = None

    @property
    def has_rationale(self) -> bool:
        return False


Rows = Jsonl | HubRows | Gsm8k | Svamp | CommonsenseQa
"""Those that read rows out of files."""
OfHub = HubRows | Gsm8k | Svamp | CommonsenseQa
"""Those whose files may be a hub's, and are where they have a revision."""
Source = Annotated[
    ChainedSums | Jsonl | HubRows | Gsm8k | Svamp | CommonsenseQa | CorpusPlugin,
    Field(discriminator="name"),
    pluggable(CorpusPlugin),
    shorthand(),
]
