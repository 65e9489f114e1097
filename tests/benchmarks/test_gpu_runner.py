"""The GPU benchmark's runner: no part costs another, and what is found is on the disk."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gpu
import pytest
import torch
from on_gpu import parts
from on_gpu.parts import PARTS, SHRUNK, Part
from on_gpu.results import Case, Check, Result, Values, results_of
from on_gpu.runner import Outcome, run_part
from on_gpu.tables import tables

NEAR = json.dumps(Result("made", "near", {"off_nats": 0.5}, Check(0.1, 0.2)).as_json())


def command(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


def told(found: list[str]) -> list[str]:
    return command(*(f"print({line!r}, flush=True)" for line in found))


def ignore(outcome: Outcome) -> None:
    pass


def failing(shrunk: bool, device: str) -> Iterator[Case]:
    def raises() -> tuple[Values, Check | None]:
        raise RuntimeError("out of something")

    yield Case("first", raises)
    yield Case("second", lambda: ({"ms": 1.0}, None))


def lacking(shrunk: bool, device: str) -> Iterator[Case]:
    def imports() -> tuple[Values, Check | None]:
        import nobody_has_this.kernels  # type: ignore[import-not-found]  # noqa: F401

        raise AssertionError

    yield Case("first", imports)
    yield Case("second", lambda: ({"ms": 1.0}, None))


def test_a_case_that_fails_costs_the_others_nothing() -> None:
    first, second = results_of("made", failing(True, "cpu"))
    assert first.error is not None
    assert "RuntimeError: out of something" in first.error
    assert first.failed
    assert second == Result("made", "second", {"ms": 1.0})


def test_a_case_without_its_package_says_which() -> None:
    first, second = results_of("made", lacking(True, "cpu"))
    assert first.missing == "nobody_has_this"
    assert not first.failed
    assert second == Result("made", "second", {"ms": 1.0})


def test_a_check_that_is_no_number_has_failed() -> None:
    assert Check(0.1, 0.1).ok
    assert not Check(0.11, 0.1).ok
    assert not Check(float("nan"), 0.1).ok


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (told([NEAR]), "done"),
        (told([json.dumps(Result("made", "far", {}, Check(0.3, 0.2)).as_json())]), "failed"),
        (told([json.dumps(Result("made", "lacking", missing="trl").as_json())]), "missing package"),
        (command(f"print({NEAR!r}, flush=True)", "raise SystemExit('no memory')"), "failed"),
    ],
)
def test_the_status_of_a_part_is_that_of_its_worst_result(lines: list[str], status: str) -> None:
    assert run_part(lines, 30, ignore).status == status


def test_a_part_that_dies_leaves_its_results_and_its_last_words() -> None:
    outcome = run_part(command(f"print({NEAR!r}, flush=True)", "raise SystemExit('no memory')"), 30, ignore)
    assert [result.case for result in outcome.results] == ["near"]
    assert outcome.error == "ended with code 1\nno memory"


def test_a_part_that_is_late_is_killed_with_what_it_has_started(tmp_path: Path) -> None:
    """And its results so far are there."""
    began = time.monotonic()
    outcome = run_part(
        command(
            "import pathlib, subprocess, time",
            "child = subprocess.Popen(['sleep', '60'])",
            f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))",
            f"print({NEAR!r}, flush=True)",
            "time.sleep(60)",
        ),
        1.5,
        ignore,
    )
    assert outcome.status == "late"
    assert [result.case for result in outcome.results] == ["near"]
    assert time.monotonic() - began < 20
    deadline = time.monotonic() + 10
    while alive(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Not so of a process that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def as_parts(monkeypatch: pytest.MonkeyPatch, commands: dict[str, list[str]], limit: float = 30) -> None:
    """The runner's parts are these commands."""
    made = {name: Part(limit / SHRUNK, "", "") for name in commands}
    monkeypatch.setattr(gpu, "PARTS", made)
    monkeypatch.setattr(
        gpu,
        "run_part",
        lambda command, limit, found: run_part(commands[command[command.index("--part") + 1]], limit, found),
    )


def test_a_part_that_is_late_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_parts(monkeypatch, {"late": command("import time; time.sleep(60)"), "next": told([NEAR])}, limit=1.0)
    assert gpu.run(["late", "next"], True, tmp_path / "out.json") == 1
    found = json.loads((tmp_path / "out.json").read_text())["parts"]
    assert {name: part["status"] for name, part in found.items()} == {"late": "late", "next": "done"}
    assert found["next"]["results"][0]["check"] == {"deviation": 0.1, "tolerance": 0.2, "ok": True}
    assert "made         near: off_nats=0.5  ok: off by 0.1, allowed 0.2" in capsys.readouterr().out


def test_results_are_on_disk_as_soon_as_they_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The part waits for its own first result to be there before it gives the second."""
    out = tmp_path / "out.json"
    waits = command(
        "import pathlib, time",
        f"print({NEAR!r}, flush=True)",
        f"while 'near' not in (pathlib.Path({str(out)!r}).read_text() if pathlib.Path({str(out)!r}).exists() else ''):",
        "    time.sleep(0.01)",
        f"print({NEAR.replace('near', 'second')!r}, flush=True)",
    )
    as_parts(monkeypatch, {"waits": waits})
    assert gpu.run(["waits"], True, out) == 0
    found = json.loads(out.read_text())["parts"]["waits"]
    assert (found["status"], [result["case"] for result in found["results"]]) == ("done", ["near", "second"])
    assert os.listdir(tmp_path) == ["out.json"]  # noqa: PTH208


def test_all_parts_together_stay_under_nine_minutes() -> None:
    assert sum(part.seconds for part in PARTS.values()) <= 540 - 15


def test_without_a_gpu_nothing_runs_unless_it_is_shrunk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2
    assert "No GPU" in capsys.readouterr().err


def test_tables_hold_every_result() -> None:
    outcome = Outcome(30.0, "failed", 2.0)
    outcome.results = [
        Result("made", "near", {"ms": 1.25}, Check(0.1, 0.2)),
        Result("made", "far", {"peak_gib": None}, Check(0.3, 0.2)),
        Result("made", "lacking", missing="trl"),
        Result("made", "broken", error="a\nOSError: b"),
    ]
    assert list(tables({"parts": {"made": outcome.as_json()}})) == [
        "made: failed, 2 s of 30 s",
        "",
        "| case | ms | peak_gib | off by | allowed | ok | note |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| near | 1.25 |  | 0.1 | 0.2 | yes |  |",
        "| far |  |  | 0.3 | 0.2 | NO |  |",
        "| lacking |  |  |  |  |  | trl is missing |",
        "| broken |  |  |  |  |  | failed: OSError: b |",
        "",
    ]


def test_every_part_can_be_found() -> None:
    for part in PARTS.values():
        module, _, function = part.at.partition(":")
        assert (Path(parts.__file__).with_name(f"{module.removeprefix('on_gpu.')}.py")).read_text().count(
            f"def {function}(shrunk: bool, device: str)"
        ) == 1
