"""The environment of worker processes."""

from __future__ import annotations

import os

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def worker_environment() -> dict[str, str]:
    """This process's own, with one thread a process, no hub and no progress bars of libraries'."""
    quiet = {
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **dict.fromkeys(OFFLINE, "1"), **quiet}
