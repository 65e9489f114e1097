"""The verbs: what they print, where they look, what they import."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clpd_bench.cli.app import app

HEAVY = ("torch", "transformers", "pandas", "scipy", "statsmodels", "matplotlib", "datasets", "lm_eval")
SMOKE = Path(__file__).parents[2] / "ablations" / "smoke.yaml"


def clpd(*arguments: str | Path, **environment: str) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200", **environment})
    assert result.exit_code == 0, result.output
    return result.stdout


def summary(*arguments: str | Path, **environment: str) -> Any:
    return json.loads(clpd("plan", *arguments, "--json", **environment))


@pytest.mark.parametrize("arguments", [["--help"], ["plan"], ["status"], ["cancel"]], ids=lambda a: a[0])
def test_planning_imports_nothing_that_is_slow_to_load(arguments: list[str], tmp_path: Path) -> None:
    if arguments != ["--help"]:
        arguments = [*arguments, str(SMOKE), "--store", str(tmp_path / "store")]
    program = (
        "import sys\n"
        "from clpd_bench.cli import app as cli\n"
        "try:\n    cli.main()\n"
        "except SystemExit as left:\n    assert not left.code, left.code\n"
        "print('loaded:', *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stderr.split("loaded:")[1].split()
    assert "clpd_bench" in loaded
    assert set(loaded).isdisjoint((*HEAVY, "numpy", "pyarrow") if arguments == ["--help"] else HEAVY)


def test_plan_counts_cells_and_jobs_as_the_grid_has_them(small: Path, tmp_path: Path) -> None:
    found = summary(small, "--store", tmp_path / "s")
    assert [cell["id"] for cell in found["cells"]] == [
        f"small/{arm}/{seed}"
        for arm in ("sft", "standard_kd", "data_ordering", "teacher_scheduling", "clpd")
        for seed in (0, 1)
    ]
    assert len({job["key"] for job in found["jobs"]}) == len(found["jobs"])
    assert found["exposure"] is None
    assert not any(job["done"] for job in found["jobs"])


def test_plan_prints_a_declared_difference(small: Path, tmp_path: Path) -> None:
    differs = "arms.clpd.differs={student.training.learning_rate: 0.5}"
    text = clpd("plan", small, "--store", tmp_path / "s", "--set", differs)
    row = next(line for line in text.split("\n") if "learning_rate" in line)
    assert row.split() == ["student.training.learning_rate", "0.001", "0.5"]
    pairs = {
        p["arms"][1]: p["settings"] for p in summary(small, "--store", tmp_path / "s", "--set", differs)["differences"]
    }
    (found,) = (one for one in pairs["clpd"] if one["key"] == "student.training.learning_rate")
    assert found == {"key": "student.training.learning_rate", "first": 0.001, "second": 0.5, "tuned": False}
    assert all("learning_rate" not in d["key"] for arm in ("sft", "data_ordering") for d in pairs[arm])


def test_exposure_is_printed_once_the_corpus_is_made_and_equal_in_all_arms(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    found = summary(small, "--store", store, "--corpus")
    assert {(e["steps"], e["tokens"]) for e in found["exposure"].values()} == {(6, found["exposure"]["clpd"]["tokens"])}
    for arm in found["exposure"].values():
        assert sum(row["presentations"] for row in arm["by_bucket_stage_teacher"]) == 2 * 60
    by_bucket = [
        sorted((b, sum(r["presentations"] for r in e["by_bucket_stage_teacher"] if r["bucket"] == b)) for b in (1, 2))
        for e in found["exposure"].values()
    ]
    assert all(counts == by_bucket[0] for counts in by_bucket)
    # From now on it is known without --corpus, and those jobs are done.
    again = summary(small, "--store", store)
    assert again["exposure"] == found["exposure"]
    assert {job["kind"] for job in again["jobs"] if job["done"]} == {"corpus", "difficulty"}
    assert "What each arm shows" in clpd("plan", small, "--store", store)


def test_plan_shows_how_hard_each_bucket_is(small: Path, tmp_path: Path) -> None:
    """In a chained sum of 1 to 3 operations, that is: most buckets of such a corpus part equals."""
    given = ("--store", tmp_path / "s", "--corpus", "--set", "curriculum.difficulty=column:operations")
    found = summary(small, *given)["exposure"]
    buckets = found["clpd"]["difficulty"]
    assert all(arm["difficulty"] == buckets for arm in found.values())
    assert sum(bucket["examples"] for bucket in buckets) == 60
    assert [sorted(bucket["quartiles"]) for bucket in buckets] == [bucket["quartiles"] for bucket in buckets]
    assert buckets[0]["quartiles"][2] <= buckets[1]["quartiles"][0]
    text = clpd("plan", small, *given)
    rows = [line.split() for line in text[text.index("How hard") : text.index("What each arm shows")].splitlines()]
    quartiles = " / ".join(f"{value:.4g}" for value in buckets[1]["quartiles"])
    assert ["2", str(buckets[1]["examples"]), *quartiles.split(), str(buckets[1]["tied"])] in rows


def test_without_a_difficulty_there_is_none_to_make_and_one_bucket(small: Path, tmp_path: Path) -> None:
    arms = (
        "arms={standard_kd: {order: shuffled, teachers: strongest}, new: {order: shuffled, teachers: weak_to_strong}}"
    )
    sets = [arms, "analysis.family=[new]", "curriculum={stages: 2, difficulty: null, pacing: partition}"]
    given = ["--store", tmp_path / "s", *(part for one in sets for part in ("--set", one))]
    found = summary(small, *given, "--corpus")
    assert {job["kind"] for job in found["jobs"]} == {"corpus", "model", "targets", "evaluation"}
    assert not any("difficulty" in job["parents"] for job in found["jobs"])
    assert {row["bucket"] for arm in found["exposure"].values() for row in arm["by_bucket_stage_teacher"]} == {1}
    assert {row["stage"] for row in found["exposure"]["new"]["by_bucket_stage_teacher"]} == {1, 2}
    assert "How hard" not in clpd("plan", small, *given)
    drawn = clpd("plan", small, *given, "--schedule", "new")
    assert "hardest" not in drawn


@pytest.mark.parametrize("verb", ["status", "retry", "plan"])
def test_set_reaches_every_verb_that_takes_a_file(verb: str, small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    if verb == "plan":
        assert len(summary(small, "--store", store, "--set", "seeds=[0, 1, 2]")["cells"]) == 15
    elif verb == "status":
        text = clpd("status", small, "--store", store, "--set", "seeds=[0, 1, 2]", "--json")
        assert sum(job["kind"] == "evaluation" for job in json.loads(text)["jobs"]) == 15 + 3 + 2 + 2
    else:
        assert clpd("retry", small, "clpd/2", "--store", store, "--set", "seeds=[0, 2]") == "nothing has failed\n"


def test_set_may_be_given_several_times(small: Path, tmp_path: Path) -> None:
    both = ["--set", "seeds=[5, 6]", "--set", "question=Why?"]
    found = summary(small, "--store", tmp_path / "s", *both)
    assert (found["question"], {cell["id"].split("/")[2] for cell in found["cells"]}) == ("Why?", {"5", "6"})


def test_the_store_is_where_option_or_environment_say(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clpd("plan", small, CLPD_STORE=str(tmp_path / "by_environment"))
    assert (tmp_path / "by_environment").is_dir()
    clpd("plan", small, "--store", tmp_path / "by_option", CLPD_STORE=str(tmp_path / "ignored"))
    assert (tmp_path / "by_option").is_dir()
    assert not (tmp_path / "ignored").exists()
    monkeypatch.delenv("CLPD_STORE", raising=False)
    clpd("plan", small)
    assert (tmp_path / "clpd_store").is_dir()


def test_reading_verbs_write_nothing(small: Path, tmp_path: Path) -> None:
    clpd("status", small, "--store", tmp_path / "s")
    clpd("retry", small, "--store", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_show_finds_a_planned_cell_by_its_short_name_and_by_its_key(small: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    found = summary(small, "--store", store)
    student = next(cell["student"] for cell in found["cells"] if cell["id"] == "small/clpd/0")
    for name in ("clpd/0", "small/clpd/0", student, student[:10]):
        shown = json.loads(clpd("show", name, "--store", store))
        assert (shown["key"], shown["label"]) == (student, "student clpd/0")


@pytest.mark.parametrize("verb", ["plan", "run", "status", "report", "retry", "show", "cancel", "export"])
def test_every_verb_explains_itself(verb: str) -> None:
    text = clpd(verb, "--help")
    assert "--store" in text
    assert ("--set" in text) == (verb not in ("show", "export"))


def test_shipped_ablations_are_planned(tmp_path: Path) -> None:
    assert len(summary(SMOKE, "--store", tmp_path / "s")["cells"]) == 10


def test_version_is_told_without_importing_torch() -> None:
    code = (
        "import sys\nfrom clpd_bench.cli import app as cli\nsys.argv = ['clpd', '--version']\n"
        "try:\n    cli.main()\nexcept SystemExit as left:\n    assert not left.code, left.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"clpd_bench {version('clpd-bench')}, Python 3.")
    assert done.stdout.strip().endswith(f"torch {version('torch')}")
