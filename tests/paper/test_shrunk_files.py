"""Files of full size, shrunk by `extends:` and `--set` alone, go from the file to the table of several."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from full_size import ABLATIONS, HERE
from in_process import typed

SHRUNK = [
    "corpora.gsm8k.source.train=${CLPD_DATA}/gsm8k/train.jsonl",
    "corpora.gsm8k.source.test=${CLPD_DATA}/gsm8k/test.jsonl",
    "corpora.gsm8k.source.revision=null",
    "corpora.gsm8k.source.validation=0.25",
    "corpora.gsm8k.source.limit={train: 16, test: 6}",
    "corpora.gsm8k.max_tokens=256",
    "corpora.gsm8k.expected=null",
    "corpora.svamp.source.file=${CLPD_DATA}/svamp/test.json",
    "corpora.svamp.source.revision=null",
    "corpora.svamp.source.limit={train: 4, test: 6}",
    "corpora.svamp.expected=null",
    "models.qwen_0_5b.initial={name: local, folder: '${CLPD_TINY}/Qwen2.5-0.5B-Instruct'}",
    "models.qwen_1_5b.initial={name: local, folder: '${CLPD_TINY}/Qwen2.5-1.5B-Instruct'}",
    "models.qwen_3b.initial={name: local, folder: '${CLPD_TINY}/Qwen2.5-3B-Instruct'}",
    "models.qwen_7b.initial={name: local, folder: '${CLPD_TINY}/Qwen2.5-7B-Instruct'}",
    "student.training.epochs=1",
    "student.training.tokens_per_step=512",
    "student.training.warmup_steps=0",
    "student.training.learning_rate=1e-2",
    "seeds=[0, 1]",
    "evaluation.benchmarks.gsm8k.max_new_tokens=48",
    "evaluation.benchmarks.svamp.max_new_tokens=27",
    "analysis.primary={benchmark: gsm8k, metric: response_loss}",
]
"""What math_small.yaml says, for the command line."""
SETS = [word for one in SHRUNK for word in ("--set", one)]


def clpd(folder: Path, *words: str | Path) -> str:
    done = typed(*words, folder=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def finished(few: Path, tiny: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which both files were run, in an environment that names what they need."""
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"CLPD_DATA": few, "CLPD_TINY": tiny, "CLPD_STORE": store, "HF_HUB_OFFLINE": 1}.items():
            patch.setenv(name, str(value))
        for name in ("math_small", "commonsense_small"):
            clpd(folder, "run", HERE / f"{name}.yaml")
        yield folder


def test_files_shrunk_by_extends_give_one_table(finished: Path) -> None:
    files = [HERE / "math_small.yaml", HERE / "commonsense_small.yaml"]
    printed = clpd(finished, "report", *files, "--out", "reports/both")
    folder = finished / "reports" / "both"
    assert "clpd" in printed
    table = (folder / "table.md").read_text()
    for name in ("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd", "teacher qwen_7b"):
        assert name in table, table
    assert "gsm8k" in table
    assert "commonsense_qa" in table
    compiled = folder / "whole.tex"
    compiled.write_text(
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\\input{table.tex}\\end{document}\n"
    )
    if shutil.which("pdflatex") is None and os.environ.get("CLPD_REQUIRE_LATEX") != "1":
        pytest.skip("pdflatex is not installed")
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", compiled.name], cwd=folder, check=True)


def test_a_file_shrunk_by_set_shares_what_another_made_and_draws_the_gap(finished: Path, store: Path) -> None:
    file = ABLATIONS / "capacity_gap.yaml"
    before = students_made(store)
    printed = clpd(finished, "run", file, *SETS)
    assert "Next: clpd report" in printed
    clpd(finished, "report", file, *SETS, "--out", "reports/gap")
    folder = finished / "reports" / "gap"
    gap = pd.read_csv(folder / "capacity_gap.csv")
    assert {"qwen_1_5b", "qwen_3b", "qwen_7b"} <= set(gap["teacher"])
    assert (folder / "figures" / "capacity_gap.pdf").exists()
    # Those alone that math_qwen2.5.yaml has not.
    made = sorted(label for key, label in students_made(store).items() if key not in before)
    assert made == [f"student {arm}/{seed}" for arm in ("kd_from_1_5b", "kd_from_3b") for seed in (0, 1)]


def students_made(store: Path) -> dict[str, str]:
    """What the students in a store are called, by key."""
    manifests = [json.loads(file.read_text()) for file in store.glob("artifacts/*/manifest.json")]
    return {one["key"]: one["label"] for one in manifests if one["label"].startswith("student ")}


def test_tuning_a_shrunk_file_gives_every_arm_a_value_by_the_same_budget(finished: Path) -> None:
    file = finished / "math_small.yaml"
    file.write_text((HERE / file.name).read_text().replace("../../ablations", str(ABLATIONS)))
    before = students(clpd(finished, "plan", file, "--json"))
    clpd(finished, "tune", file)
    tuned = yaml.safe_load((finished / "math_small.tuned.yaml").read_text())["points"]["base"]
    assert set(tuned) == {"sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd"}
    assert len({str(arm["budget"]) for arm in tuned.values()}) == 1
    file.write_text(f"{file.read_text()}tuned: math_small.tuned.yaml\n")
    after = students(clpd(finished, "plan", file, "--json"))
    for arm, found in tuned.items():
        other = found["chosen"]["student.training.learning_rate"] != 1e-2  # what the file says itself
        assert (before[arm] != after[arm]) is other, arm


def students(plan: str) -> dict[str, set[str]]:
    """{arm: keys of its students}."""
    keys: dict[str, set[str]] = {}
    for cell in json.loads(plan)["cells"]:
        keys.setdefault(cell["id"].split("/")[1], set()).add(cell["student"])
    return keys
