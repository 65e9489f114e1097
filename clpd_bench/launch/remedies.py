"""What ended a job, in words, and what to do about it; a full disk first of all."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError

# Libraries that write from Rust or C++ (safetensors, pyarrow) pass the system's words on, not its number.
WORDS = ("No space left on device", "Disk quota exceeded")
_NUMBERS = {errno.ENOSPC, errno.EDQUOT}


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that nothing more can be written."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if (isinstance(cause, OSError) and cause.errno in _NUMBERS) or any(word in str(cause) for word in WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def full_disk(store: Path) -> UserError:
    """What a worker ends with."""
    return UserError(
        "the disk is full, or the quota on it: nothing that was done is lost",
        file=store,
        fix=f"Free some space (clpd store size --store {store} says what takes it, clpd store gc FILE what can go), "
        "then run again: what was under way goes on from its checkpoints",
    )


@dataclass(frozen=True)
class Remedy:
    """Attributes:
    types, signals: names of exceptions and of signals that have this cause.
    words: what their messages say, where the name alone does not tell.
    """

    cause: str
    what_to_do: str
    types: tuple[str, ...] = ()
    words: str | None = None
    signals: tuple[str, ...] = ()

    def fits(self, failure: Mapping[str, Any]) -> bool:
        kind, message = str(failure.get("type", "")), str(failure.get("message", ""))
        matches = self.words is not None and re.search(self.words, message, re.IGNORECASE)
        return kind in self.types or failure.get("signal") in self.signals or bool(matches)


# The first that fits.
REMEDIES = (
    Remedy(
        "the disk is full, or the quota on it",
        "Free some space (clpd store size, clpd store gc FILE), then clpd run: it goes on from its checkpoints",
        words="|".join(WORDS),
    ),
    Remedy(
        "out of memory",
        "Lower training.micro_batch_tokens (or evaluation.batch_size), which changes no result, run fewer --workers "
        "at once, or ask for a larger machine",
        types=("MemoryError", "OutOfMemoryError"),
        words=r"out of memory|can't allocate memory|cannot allocate memory",
    ),
    Remedy(
        "a process was killed by SIGKILL: by the kernel for want of memory, by a scheduler, or by hand",
        "Look into dmesg, or the scheduler's record, for an out-of-memory kill; then lower "
        "training.micro_batch_tokens or the number of --workers",
        signals=("SIGKILL",),
    ),
    Remedy(
        "lm-eval does not know the task, or a metric or filter that it names",
        "Compare the benchmark's name with lm-eval's own list (lm-eval ls tasks), and the installed version",
        words=r"not a registered task|tasks? not found|unknown task|task.{0,80}not (found|registered)",
    ),
    Remedy(
        "the loss or its gradient became no finite number",
        "Lower the learning rate of this model, or clip harder (training.clip); in bfloat16 try float32. The message "
        "names the step, the stage, the teachers and the examples to look at. To report such students all "
        "the same, declare analysis.diverged",
        types=("Diverged",),
    ),
    Remedy(
        "the declared validation score was not reached",
        "Allow more steps (epochs, a larger corpus), or declare a lower stop.at",
        types=("StopNotReached",),
    ),
    Remedy(
        "a file is missing",
        "See that the file is there and can be read on the node named; if it is an input in the store, run clpd "
        "store verify",
        types=("FileNotFoundError", "NotADirectoryError"),
        words=r"no such file or directory",
    ),
    Remedy("what the job was given can't be used", "Do what the message says, then clpd retry", types=("UserError",)),
)

LOST = Remedy(
    "its process ended without a word: killed (SIGKILL: out of memory, a scheduler, by hand), or the machine went away",
    "clpd run goes on from its checkpoints, and after five losses without one only once clpd retry says so. If it "
    "happens again, look into dmesg for an out-of-memory kill and lower training.micro_batch_tokens or --workers",
)
EVICTED = Remedy(
    "its Slurm job was ended again and again (time limit, preemption, scancel), each time before it had added a "
    "checkpoint",
    "Raise the time in the profile of this job, then clpd retry",
)
UNKNOWN = Remedy(
    "an error in the job", "Read the traceback at the end of the log; once the cause is gone, clpd retry, then clpd run"
)


def remedy(failure: Mapping[str, Any] | None, ending: str | None = None) -> Remedy:
    """What fits a failure record; where none was left, `EVICTED` or `LOST`, by the attempt's ending."""
    if failure is None:
        return EVICTED if ending == "evicted" else LOST
    return next((known for known in REMEDIES if known.fits(failure)), UNKNOWN)
