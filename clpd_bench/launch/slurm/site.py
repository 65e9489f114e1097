"""The site file: what a cluster wants, as named profiles, and which jobs take which."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.printed import minutes
from clpd_bench.settings.base import LocalPath, Settings
from clpd_bench.settings.file.load import load_settings
from clpd_bench.settings.specs import Kind

STUDENT = "student"
"""What rules call every cell's student."""

OURS = {"array", "comment", "dependency", "job-name", "open-mode", "output", "error", "signal", "wrap", "parsable"}
"""Options of sbatch that `launch` sets itself, by which it finds its jobs again."""


def _one_line(value: str) -> str:
    if not value or any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError(f"{value!r} must be one line of text: it becomes a line of a job script")
    return value


def _minutes(value: Any) -> Any:
    if isinstance(value, str):
        found = minutes(value)
        if found is None:
            raise ValueError(f"{value!r} is no limit; write the longest time that one of these jobs may take")
        return found
    return value


def _memory(value: str) -> str:
    if not re.fullmatch(r"\d+[KMGT]?", value, re.IGNORECASE):
        raise ValueError(f"{value!r} is no amount of memory; write a number with K, M, G or T, as in 32G")
    return value.upper()


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"{name!r} is no name of an environment variable")
    return name


def _option(name: str) -> str:
    name = name.removeprefix("--").replace("_", "-")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(
            f"{name!r} is no option of sbatch; write it as in `sbatch --help`, without the dashes in front"
        )
    if name in OURS:
        raise ValueError(f"launch sets {name} itself")
    return name


def _scalar(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _value(value: Any) -> str | bool:
    """An option's; told here rather than by a union of types, whose members pydantic puts into the key."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float)):
        return _one_line(str(value))
    raise ValueError(f"wants text, a number or true, and {value!r} is none")


def _by_kind(value: Any) -> Any:
    return dict.fromkeys(get_args(Kind), value) if isinstance(value, str) else value


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, BeforeValidator(_scalar), AfterValidator(_one_line)]


class Profile(Settings):
    """What a Slurm job of this profile asks for; what is left out, the cluster decides."""

    partition: Line | None = None
    account: Line | None = None
    qos: Line | None = None
    constraint: Line | None = None
    gpus: int = Field(default=0, ge=0)
    """On each node."""
    gpu_type: Line | None = None
    gpu_memory: Annotated[str, BeforeValidator(_scalar), AfterValidator(_memory)] | None = None
    """Of one GPU, as in 80G, in powers of ten. A job that needs more is refused."""
    gpu_tflops: dict[Literal["float32", "bfloat16"], Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Of one GPU at most, as its data sheet has them: 10^12 FLOPs a second, by what is computed with."""
    utilisation: float = Field(default=0.35, gt=0, le=1)
    """The share of `gpu_tflops` that jobs reach, until finished ones tell."""
    cpus: int = Field(default=1, ge=1)
    """For each task."""
    memory: Annotated[str, BeforeValidator(_scalar), AfterValidator(_memory)] | None = None
    """On each node, as in 32G."""
    time: Annotated[int, BeforeValidator(_minutes), Field(ge=1)]
    """Minutes, or one of Slurm's other forms, as 4:00:00. What takes longer is requeued and resumes."""
    nodes: int = Field(default=1, ge=1)
    tasks: int = Field(default=1, ge=1)
    """Workers side by side on each node, which share the batch's jobs among them."""
    array_parallelism: int | None = Field(default=None, ge=1)
    """Batches of one array that may run at a time."""
    extra: dict[Annotated[str, AfterValidator(_option)], Annotated[str | bool, PlainValidator(_value)]] = Field(
        default_factory=dict
    )
    """Any other option of sbatch, by its long name; true for one without a value."""

    @model_validator(mode="after")
    def _type_of_nothing(self) -> Self:
        if self.gpu_type and not self.gpus:
            raise ValueError("gpu_type is given, and gpus is 0; write how many")
        if (self.gpu_memory or self.gpu_tflops) and not self.gpus:
            raise ValueError("gpu_memory or gpu_tflops is given, and gpus is 0; write how many")
        return self

    @property
    def memory_of_worker(self) -> float | None:
        """Bytes of a GPU that a worker may use: several workers of one GPU share it."""
        if self.gpu_memory is None:
            return None
        unit = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(self.gpu_memory[-1], 1e6)
        return float(self.gpu_memory.rstrip("KMGT")) * unit * min(1.0, self.gpus / self.tasks)

    def flops_a_second(self, precision: str) -> float | None:
        """That a worker is taken to reach; float16 is as fast as bfloat16."""
        peak = self.gpu_tflops.get("float32" if precision == "float32" else "bfloat16")
        return None if peak is None else peak * 1e12 * self.utilisation * min(1.0, self.gpus / self.tasks)


class Use(Settings):
    """Which jobs take which profile: of `models` and `kinds` the first that fits, else `default`.

    A model's name stands for its training, its targets, its evaluation and difficulties by its loss: as one
    profile, or as a mapping from kinds to profiles.
    """

    default: str
    kinds: dict[Kind, str] = Field(default_factory=dict)
    models: dict[str, Annotated[dict[Kind, str], BeforeValidator(_by_kind)]] = Field(default_factory=dict)

    def profile(self, kind: Kind, models: list[str]) -> str:
        """The profile of a job of this kind at a model that has these names."""
        for name in models:
            if kind in self.models.get(name, {}):
                return self.models[name][kind]
        return self.kinds.get(kind, self.default)


class Site(Settings):
    profiles: dict[str, Profile] = Field(min_length=1)
    use: Use
    setup: tuple[str, ...] = ()
    """Lines of shell at the top of each job, as they stand; one that fails ends the job."""
    environment: dict[Annotated[str, AfterValidator(_variable)], Text] = Field(default_factory=dict)
    batch_minutes: int = Field(default=30, ge=1)
    """Small jobs are put together into one Slurm job until they are estimated to take this long."""
    max_submit: int | None = Field(default=None, ge=1)
    """Slurm jobs that one user may have at a time (each array task counts), where accounting does not tell."""
    warning_seconds: int = Field(default=120, ge=5)
    """How long before the time limit a job is told to leave a checkpoint."""
    shared: tuple[LocalPath, ...] = ()
    """Folders that every node sees. The store must lie in one of them."""

    @model_validator(mode="after")
    def _profiles_are_there(self) -> Self:
        named = {"use.default": self.use.default}
        named |= {f"use.kinds.{kind}": name for kind, name in self.use.kinds.items()}
        for model, rule in self.use.models.items():
            if rule == _by_kind(next(iter(rule.values()), None)):
                named[f"use.models.{model}"] = rule["model"]  # most often written as one name
            else:
                named |= {f"use.models.{model}.{kind}": name for kind, name in rule.items()}
        for key, name in named.items():
            if name not in self.profiles:
                raise UserError("there is no such profile", key=key, found=name, allowed=self.profiles)
        for name, profile in self.profiles.items():
            if profile.time * 60 <= self.warning_seconds:
                raise UserError(
                    f"a job of {profile.time} min would be warned {self.warning_seconds} s before its end, so before "
                    "it begins",
                    key=f"profiles.{name}.time",
                    fix="Raise time, or lower warning_seconds",
                )
        return self


def load_site(file: Path) -> Site:
    """Raises:
    UserError: the file cannot be read, or something in it is wrong; with its line and key.
    """
    if not file.is_file():
        others = [path.with_suffix("").name for path in file.parent.glob("*.yaml")] if file.parent.is_dir() else []
        raise UserError(
            "the site file cannot be read: there is no such file",
            file=file,
            found=file.stem,
            allowed=others or None,
            fix="A site file says what your cluster wants; copy one of those under slurm/",
        )
    return load_settings(file, Site, "the site file")[0]
