"""What a part of the benchmark finds, case by case: no case costs another."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

Values = dict[str, float | int | str | None]
"""Measured numbers by name, the unit at the end of it; None where a device cannot tell."""
ERROR_LINES = 6


@dataclass(frozen=True)
class Check:
    """Attributes:
    deviation: how far a result is from its reference.
    tolerance: how far it may be. No number (NaN) is never near enough.
    """

    deviation: float
    tolerance: float

    @property
    def ok(self) -> bool:
        return self.deviation <= self.tolerance


@dataclass(frozen=True)
class Result:
    """Attributes:
    missing: the package that this case wants and that is not there.
    error: the last lines of what went wrong.
    """

    part: str
    case: str
    values: Values = field(default_factory=dict)
    check: Check | None = None
    missing: str | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None or (self.check is not None and not self.check.ok)

    def as_json(self) -> dict[str, Any]:
        check = None if self.check is None else {**asdict(self.check), "ok": self.check.ok}
        return {**asdict(self), "check": check}

    @classmethod
    def of_json(cls, read: dict[str, Any]) -> Result:
        check = read["check"] and Check(read["check"]["deviation"], read["check"]["tolerance"])
        return cls(**{**read, "check": check})

    def __str__(self) -> str:
        said = [f"{name}={_short(value)}" for name, value in self.values.items()]
        if self.check is not None:
            verdict = "ok" if self.check.ok else "WRONG"
            said.append(f"{verdict}: off by {self.check.deviation:.2g}, allowed {self.check.tolerance:.2g}")
        said += [f"missing package: {self.missing}"] if self.missing else []
        said += [f"FAILED: {self.error}"] if self.error else []
        return f"{self.part:12} {self.case}: {'  '.join(said)}"


def _short(value: float | int | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"


@dataclass(frozen=True)
class Case:
    """Attributes:
    run: measures; raises ModuleNotFoundError where a package is missing.
    """

    name: str
    run: Callable[[], tuple[Values, Check | None]]


def results_of(part: str, cases: Iterable[Case]) -> Iterator[Result]:
    """Of each case, as soon as it is there."""
    for case in cases:
        yield _result(part, case)
        _give_memory_back()


def _result(part: str, case: Case) -> Result:
    try:
        values, check = case.run()
    except ModuleNotFoundError as error:
        return Result(part, case.name, missing=(error.name or str(error)).split(".")[0])
    except Exception as error:  # whatever goes wrong in one case is no other's
        return Result(part, case.name, error=last_lines(error))
    return Result(part, case.name, values, check)


def last_lines(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join([line for line in lines if line.strip(" ^~")][-ERROR_LINES:])


def _give_memory_back() -> None:
    import torch

    if torch.cuda.is_available():
        gc.collect()  # models have circles in them
        torch.cuda.empty_cache()


def relative(mine: Any, reference: Any) -> float:
    """The norm of the difference by the norm of the reference, in float64 where the reference is."""
    mine, reference = mine.detach().to(reference.device).double(), reference.detach().double()
    return float((mine - reference).norm() / reference.norm())
