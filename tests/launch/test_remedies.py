"""Each cause that people meet is told from the others, by what the libraries really raise."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clpd_bench.distillation.train import Diverged, Record
from clpd_bench.errors import UserError
from clpd_bench.launch.remedies import LOST, REMEDIES, UNKNOWN, is_disk_full, remedy
from clpd_bench.store import Store


def _raised(make) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        make()
    return caught.value


def _torch_out_of_memory() -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def _torch_on_the_cpu() -> None:
    import torch

    torch.empty(1 << 60, dtype=torch.uint8)


def _unknown_task() -> None:
    from lm_eval.tasks import TaskManager

    TaskManager(include_defaults=False).load("gsm8q")


def _killed() -> None:
    kill = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"
    subprocess.run([sys.executable, "-c", kill], check=True)


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "model.safetensors")


def _raise(error: Exception):
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (_raise(MemoryError()), "out of memory"),
        (_torch_out_of_memory, "out of memory"),
        (_torch_on_the_cpu, "out of memory"),
        (_killed, "SIGKILL"),
        (_full, "the disk is full"),
        (_raise(OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))), "the disk is full"),
        (lambda: Path("/nowhere/train.jsonl").read_text(), "a file is missing"),
        (_unknown_task, "lm-eval does not know"),
        (
            _raise(Diverged("the loss is nan at step 3 of 60, stage 1, no teacher; examples a b", Record())),
            "no finite number",
        ),
        (_raise(UserError("the corpus is empty")), "can't be used"),
        (_raise(ZeroDivisionError("division by zero")), UNKNOWN.cause),
        (_raise(KeyError("task")), UNKNOWN.cause),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cause_of_what_is_really_raised_is_told(make, cause, tmp_path):
    store = Store(tmp_path)
    with store.claim("key") as attempt:
        attempt.fail(_raised(make))
    assert cause in remedy(store.last_attempt("key").failure).cause


def test_end_without_a_record_is_a_loss():
    assert remedy(None) is LOST


def test_every_remedy_says_what_to_do_and_none_hides_another():
    assert all(known.what_to_do for known in (*REMEDIES, LOST, UNKNOWN))
    for known in REMEDIES:
        for kind in known.types:
            assert remedy({"type": kind, "message": ""}) is known


def test_full_disk_is_known_by_number_and_by_words_through_what_it_was_wrapped_in():
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = OSError(errno.ENOSPC, "x")
    assert is_disk_full(wrapped)
    assert is_disk_full(_raised(_full))
    assert is_disk_full(RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"))
    assert not is_disk_full(OSError(errno.EIO, "I/O error"))
