"""docs/paper.md as a script: its commands in their order, on a Slurm of virtual nodes and a hub on loopback.

    python tests/paper/paper_walk.py FOLDER       # prints what the terminal shows

The hub has the repositories that the page names: tiny models, and the data sets' own text out of CLPD_DATA.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
for _tests in ("hub", "slurm"):
    sys.path.append(str(ROOT / "tests" / _tests))

from server import Hub  # noqa: E402
from slurm_cluster import ENDED, Cluster  # noqa: E402
from tiny_models import write_models  # noqa: E402

PAGE = ROOT / "docs" / "paper.md"
SECONDS = 600
"""That the jobs of one submission may take."""


class Step(NamedTuple):
    command: str
    shown: list[str]
    """Lines below the command on the page."""


def _blocks(page: str) -> Iterator[tuple[str, list[str]]]:
    """(language, lines) of each fenced block."""
    language: str | None = None
    lines: list[str] = []
    for line in page.splitlines():
        if not line.startswith("```"):
            lines.append(line)
        elif language is None:
            language, lines = line.removeprefix("```"), []
        else:
            yield language, lines
            language = None


def page_files(page: str) -> dict[str, str]:
    """The files that a page shows: blocks of YAML that begin with a comment of the file's name."""
    named = ((lines[0].removeprefix("# "), lines) for language, lines in _blocks(page) if language == "yaml")
    return {name: "\n".join([*lines, ""]) for name, lines in named if re.fullmatch(r"[\w.-]+\.yaml", name)}


def page_steps(page: str) -> list[Step]:
    """The commands of a page, lines that begin with `$ `, with the lines below each."""
    steps: list[Step] = []
    for language, lines in _blocks(page):
        for line in lines if not language else ():
            if line.startswith("$ "):
                steps.append(Step(line[2:], []))
            elif steps:
                steps[-1].shown.append(line)
    return steps


def write_repositories(folder: Path, data: Path) -> None:
    """The hub's repositories in the form that `Hub` serves.

    Args:
        data: the folder above gsm8k, svamp and commonsense_qa.
    """
    gsm8k = {split: _rows(data / "gsm8k" / f"{split}.jsonl") for split in ("train", "test")}
    write_models(folder / "models" / "Qwen", [text for row in gsm8k["train"][:200] for text in row.values()])
    for split, rows in gsm8k.items():
        _table(rows, folder / f"datasets/openai/gsm8k/main/{split}-00000-of-00001.parquet")
    svamp = json.loads((data / "svamp" / "test.json").read_text())
    for split, rows in (("train", svamp[:700]), ("test", svamp[700:])):
        _table(rows, folder / f"datasets/ChilleD/SVAMP/data/{split}-00000-of-00001.parquet")
    for split in ("train", "validation"):
        rows = [_commonsense(row) for row in _rows(data / "commonsense_qa" / f"{split}.jsonl")]
        _table(rows, folder / f"datasets/tau/commonsense_qa/data/{split}-00000-of-00001.parquet")


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _commonsense(row: dict[str, Any]) -> dict[str, Any]:
    """As the hub has it: the choices in two lists."""
    choices = row["question"]["choices"]
    return {
        "id": row["id"],
        "question": row["question"]["stem"],
        "choices": {name: [choice[name] for choice in choices] for name in ("label", "text")},
        "answerKey": row["answerKey"],
    }


def _table(rows: list[dict[str, Any]], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), file)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a hub with a folder's repositories."""
    hub = Hub(folder)
    hub.look()
    server = hub.served()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


class Walk:
    """A folder in which the page's commands are typed."""

    def __init__(self, folder: Path, hub: str, cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / "ablations", folder / "ablations", dirs_exist_ok=True)
        for name, text in page_files(PAGE.read_text()).items():
            (folder / name).write_text(text)
        clpd = folder / "bin" / "clpd"
        clpd.parent.mkdir(exist_ok=True)
        clpd.write_text(f"#!{sys.executable}\nfrom clpd_bench.cli.app import main\nmain()\n")
        clpd.chmod(0o755)
        self.environment = {
            **{name: value for name, value in cluster.env.items() if name != "HF_HUB_OFFLINE"},
            "PATH": f"{clpd.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HF_ENDPOINT": hub,
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_CACHE": str(folder / "hf" / "hub"),
            "CLPD_STORE": "clpd_store",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "120",
        }

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a command says and leaves; after a submission, once its jobs have ended."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        if command.startswith(("clpd launch", "clpd tune")):
            self.cluster.wait_until(self._ended, timeout=SECONDS, what="all jobs have ended")
        return done

    def _ended(self) -> bool:
        return all(job.state in ENDED for job in self.cluster.jobs())


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    write_repositories(folder / "hub", Path(os.environ["CLPD_DATA"]))
    cluster = Cluster()
    try:
        with served(folder / "hub") as address:
            walk = Walk(folder, address, cluster)
            for step in page_steps(PAGE.read_text()):
                print(f"$ {step.command}\n{walk.type(step.command).stdout}", flush=True)
    finally:
        cluster.down()


if __name__ == "__main__":
    main()
