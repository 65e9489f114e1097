"""The environment of worker processes."""

from __future__ import annotations

import os

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def job_environment() -> dict[str, str]:
    """One thread a process, no hub, and no progress bars of libraries'."""
    return {
        **dict.fromkeys(OFFLINE, "1"),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def worker_environment() -> dict[str, str]:
    """This process's own, and that of jobs."""
    return {**os.environ, **job_environment()}
