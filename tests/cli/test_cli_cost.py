"""`clpd plan` on cost: what it prints, that its sums can be done again, and how it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from clpd_bench.cli.app import app

SITE = {
    "profiles": {"gpu": {"partition": "gpu", "gpus": 1, "time": 60, "gpu_tflops": {"float32": 20}}},
    "use": {"default": "gpu"},
}


def clpd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, arguments)], env={"COLUMNS": "300"})


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(SITE))
    return file


def small_gpu(site: Path) -> None:
    profile = {**SITE["profiles"]["gpu"], "gpu_memory": "10K"}  # type: ignore[index]
    site.write_text(yaml.safe_dump({**SITE, "profiles": {"gpu": profile}}))


def test_every_line_of_a_jobs_arithmetic_can_be_done_again(small: Path, tmp_path: Path) -> None:
    store = ("--store", tmp_path / "s")
    assert clpd(small, *store, "--corpus").exit_code == 0
    text = clpd(small, *store, "--cost", "clpd/0").stdout
    lines = re.findall(r"^  ([^=\n]+): (\d[^=\n]*) = ([\d,]+)$", text, re.MULTILINE)
    assert len(lines) > 15
    for what, formula, value in lines:
        words_left_out = re.sub(r"\([a-z x]+\)|(?!x\b)\b[a-z]+\b", "", formula)
        plain = re.sub(r"\bx\b", "*", words_left_out).replace(",", "").strip()
        assert eval(plain) == int(value.replace(",", "")), (what, formula)


def test_a_job_goes_by_its_cell_its_label_or_its_keys_beginning(small: Path, tmp_path: Path) -> None:
    def key(name: str) -> Any:
        return json.loads(clpd(small, "--store", tmp_path / "s", "--cost", name, "--json").stdout)["key"]

    wanted = key("clpd/0")
    assert key("student clpd/0") == key(wanted[:8]) == key("small/clpd/0") == wanted
    refused = clpd(small, "--store", tmp_path / "s", "--cost", "clpd/7")
    assert refused.exit_code != 0
    assert "no such job" in str(refused.exception)


def test_the_whole_is_the_sum_of_its_jobs(small: Path, tmp_path: Path) -> None:
    cost = json.loads(clpd(small, "--store", tmp_path / "s", "--corpus", "--json").stdout)["cost"]
    assert cost["flops"] == pytest.approx(sum(job["flops"] for job in cost["jobs"].values()))
    assert cost["flops"] == pytest.approx(sum(row["flops"] for row in cost["by_kind"]))
    students = next(row for row in cost["by_kind"] if row["name"] == "student")
    assert students["flops"] == pytest.approx(sum(row["flops"] for row in cost["by_arm"]))
    assert cost["each_cell_alone"]["ratio"] > cost["each_cell_alone"]["ratio_with_teachers_given"] > 1
    assert cost["profiles"] == {}


def test_before_the_corpus_is_made_what_is_not_known_is_said(small: Path, tmp_path: Path) -> None:
    found = clpd(small, "--store", tmp_path / "s")
    assert found.exit_code == 0
    assert "the tokens of corpus sums: make it with --corpus" in found.stdout
    row = next(line for line in found.stdout.split("\n") if line.startswith("student "))
    assert row.split() == ["student", "10", "?"]
    cost = json.loads(clpd(small, "--store", tmp_path / "s", "--json").stdout)["cost"]
    assert cost["each_cell_alone"] is None


def test_a_site_adds_hours_and_what_they_are_by(small: Path, site: Path, tmp_path: Path) -> None:
    store = ("--store", tmp_path / "s")
    found = clpd(small, *store, "--corpus", "--site", site)
    assert found.exit_code == 0
    assert "jobs by their FLOPs at the profile's speed" in found.stdout
    cost = json.loads(clpd(small, *store, "--site", site, "--json").stdout)["cost"]
    gpu = cost["profiles"]["gpu"]
    of_jobs = [job["seconds"] for job in cost["jobs"].values() if job["flops"]]
    assert gpu["gpu_seconds"] >= sum(of_jobs) == pytest.approx(cost["flops"] / (20e12 * 0.35))


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_does_not_fit_is_refused_after_it_is_shown(
    form: tuple[str, ...], small: Path, site: Path, tmp_path: Path
) -> None:
    small_gpu(site)
    found = clpd(small, "--store", tmp_path / "s", "--corpus", "--site", site, *form)
    assert found.exit_code != 0
    assert "a worker of profile gpu has 1e-05 GB" in str(found.exception)
    assert "cost" in found.stdout
