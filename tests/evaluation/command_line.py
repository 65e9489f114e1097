"""lm-eval's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from in_process import lm_eval


def command_line(model: Path, folder: Path, task: str, out: Path, *more: str) -> list[dict[str, Any]]:
    """Samples of a task that lies in `folder`, run inside it by what `lm_eval` calls."""
    lm_eval(*_words(model, task, out, *more), folder=folder, cache=out / "cache")
    return samples_in(out, task)


WITHOUT_ITS_OWN = """
from functools import partial
import lm_eval.tasks
lm_eval.tasks.TaskManager = partial(lm_eval.tasks.TaskManager, include_defaults=False)
from lm_eval.__main__ import cli_evaluate
cli_evaluate()
"""


def in_a_process(model: Path, folder: Path, task: str, out: Path) -> None:
    """The same in a process in which nothing of ours is."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "cache")}
    command = [sys.executable, "-c", WITHOUT_ITS_OWN, *_words(model, task, out)]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=600)


def _words(model: Path, task: str, out: Path, *more: str) -> list[str]:
    words = ["run", "--model", "hf", "--device", "cpu", "--batch_size", "4"]
    words += ["--model_args", f"pretrained={model},dtype=float32", "--tasks", task, "--include_path", "."]
    return [*words, "--log_samples", "--output_path", str(out), *more]


def samples_in(folder: Path, task: str) -> list[dict[str, Any]]:
    """Of the one file of samples below a folder."""
    (file,) = folder.rglob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]
