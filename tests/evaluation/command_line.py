"""lm-eval's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def command_line(model: Path, folder: Path, task: str, out: Path, *more: str) -> list[dict[str, Any]]:
    """Samples of a task that lies in `folder`, run inside it as its user would."""
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", "cpu", "--batch_size", "4"]
    command += ["--model_args", f"pretrained={model},dtype=float32", "--tasks", task, "--include_path", "."]
    command += ["--log_samples", "--output_path", str(out), *more]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "cache")}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=600)
    return samples_in(out, task)


def samples_in(folder: Path, task: str) -> list[dict[str, Any]]:
    """Of the one file of samples below a folder."""
    (file,) = folder.rglob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]
