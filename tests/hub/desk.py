"""A folder with an ablation in it, as a person has it who types `clpd`; and what lies on the hub for it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from hub_environment import environment
from server import Files
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError

SMALL = Path(__file__).parents[1] / "settings" / "small.yaml"
MODEL, GSM8K = "org/thing", "openai/gsm8k"
CARD = """---
configs:
- config_name: main
  data_files:
  - {split: train, path: main/train-*}
  - {split: test, path: main/test-*}
- config_name: socratic
  data_files:
  - {split: train, path: socratic/train-*}
---
Grade-school word problems.
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def gsm8k(first: int = 0) -> Files:
    """The data set's files as the hub has them, and a configuration that nobody asks for."""

    def rows(start: int, stop: int) -> list[dict[str, Any]]:
        return [{"question": f"{i}+1?", "answer": f"{i}+1={i + 1}\n#### {i + 1}"} for i in range(start, stop)]

    return {
        "README.md": CARD.encode(),
        "main/train-00000-of-00002.parquet": parquet(rows(first, first + 20)),
        "main/train-00001-of-00002.parquet": parquet(rows(first + 20, first + 40)),
        "main/test-00000-of-00001.parquet": parquet(rows(first + 100, first + 106)),
        "socratic/train-00000-of-00001.parquet": parquet(rows(0, 1)),
    }


def ablation(**initial: str) -> dict[str, Any]:
    """The student from the hub, its data too, by branch; evaluated on the corpus and on lm-eval's own task."""
    data: dict[str, Any] = yaml.safe_load(SMALL.read_text())
    training = {"steps": 2, "learning_rate": 1e-3}
    source = {"name": "gsm8k", "revision": "main", "validation": 0.2}
    data["corpora"] = {"gsm8k": {"source": source, "tokenizer": "of:base", "max_tokens": 64}}
    data["models"] = {
        "base": {"initial": {"name": "hub", "model": MODEL, **initial}},
        "tuned": {"initial": "base", "corpus": "gsm8k", "training": training},
    }
    benchmarks = {"held_out": {"corpus": "gsm8k"}, "by_name": {"task": "gsm8k", "shots": 1, "limit": 2}}
    return data | {
        "teachers": ["tuned"],
        "student": {"initial": "base", "corpus": "gsm8k", "training": training},
        "arms": {
            "sft": {"order": "shuffled", "teachers": "none"},
            "kd": {"order": "shuffled", "teachers": "strongest"},
        },
        "evaluation": {"benchmarks": benchmarks},
        "analysis": {
            "baseline": "sft",
            "family": ["kd"],
            "primary": {"benchmark": "held_out", "metric": "response_loss"},
        },
    }


@dataclass
class Desk:
    """A folder with `a.yaml` in it, and `clpd` as it is typed there, with a cache of its own.

    Attributes:
        endpoint: of the hub.
        elsewhere: the proxy before whatever is not the hub.
    """

    folder: Path
    endpoint: str
    elsewhere: str

    @property
    def lock(self) -> dict[str, Any]:
        return dict(yaml.safe_load((self.folder / "a.yaml.lock").read_text()))

    def write(self, data: dict[str, Any], name: str = "a.yaml") -> None:
        (self.folder / name).write_text(yaml.safe_dump(data, sort_keys=False))

    def clpd(self, *words: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """In this process: to start one takes seconds."""
        with contextlib.chdir(self.folder), environment(self.environment(**variables)):
            done = CliRunner().invoke(app, words)
        if done.exception and not isinstance(done.exception, SystemExit | UserError):
            raise done.exception
        mistake = isinstance(done.exception, UserError)  # as `main` tells of one
        code, errors = (2, str(done.exception)) if mistake else (done.exit_code, done.stderr)
        assert code == status, done.stdout + errors
        return subprocess.CompletedProcess(words, code, done.stdout, errors)

    def clpd_apart(self, *words: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own, as a user's is."""
        command = [sys.executable, "-c", "from clpd_bench.cli.app import main; main()", *words]
        env = self.environment(**variables)
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def environment(self, **variables: str) -> dict[str, str]:
        """This process's own, with what leads to the hub and to the cache, and `variables`."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))},
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), self.elsewhere),
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
            "HF_HOME": str(self.folder / "home"),
            "HF_ENDPOINT": self.endpoint,
            "OMP_NUM_THREADS": "1",
            **variables,
        }

    def json(self, *words: str, status: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.clpd(*words, "--json", status=status).stdout))

    def keys(self, file: str = "a.yaml") -> dict[str, str]:
        """{label: key} of all jobs."""
        return {job["label"]: job["key"] for job in self.json("plan", file)["jobs"]}

    @property
    def snapshots(self) -> list[Path]:
        """All files in the cache, by their paths in it."""
        cache = self.folder / "home" / "hub"
        return sorted(file.relative_to(cache) for file in cache.glob("*/snapshots/**/*") if file.is_file())


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What stands on standard error, as one line."""
    return " ".join(done.stderr.split())
