"""Damaged artifacts are set aside and made again; what nobody refers to goes, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from harbour import outputs
from storm import Trouble, synthetic, work, work_here
from typer.testing import CliRunner

from clpd_bench.cli.app import app
from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.launch.watch.status import status_of
from clpd_bench.plan.build import build_plan
from clpd_bench.store import Store, durable
from clpd_bench.store.upkeep import find_garbage, remove, size_of

PLAN = synthetic()
KEPT = synthetic((0, 2))


def clpd(*arguments: object) -> tuple[int, dict]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def full(root: Path) -> Path:
    work_here(root, PLAN)
    return root


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_damaged_artifacts_are_set_aside_whole_and_made_again(full, harbour):
    for time in (1, 2):
        _flip(full / "artifacts/key3/deep/bulk.bin")
        (full / "artifacts/key5/manifest.json").write_text('{"torn')
        (full / "artifacts/.hidden").mkdir()
        wrong = (full / "artifacts/key3/deep/bulk.bin").read_bytes()
        code, said = clpd("store", "verify", "--store", full)
        assert code == 1
        assert said["verified"] == len(PLAN.jobs) - 2
        assert [damage["key"] for damage in said["damaged"]] == [".hidden", "key3", "key5"]
        assert said["damaged"][1]["problems"] == ["deep/bulk.bin: changed since it was published"]
        assert (full / f"damaged/key3-{time}/deep/bulk.bin").read_bytes() == wrong
        assert (full / f"damaged/key5-{time}").is_dir()
        harbour.arrive()
        assert clpd("store", "verify", "--store", full) == (0, {"verified": len(PLAN.jobs), "damaged": []})
        harbour._manifests.clear()  # made anew, as was asked for


def test_verify_killed_at_any_write_has_the_artifact_here_or_there(tmp_path, in_child, kill_before):
    work_here(tmp_path / "0", KEPT)
    assert clpd("store", "verify", "--store", tmp_path / "0")[0] == 0
    number, code = 0, -signal.SIGKILL
    while code:
        number += 1
        root = Path(shutil.copytree(tmp_path / "0", tmp_path / str(number)))
        _flip(root / "artifacts/key0/value.json")
        code = in_child(
            lambda root=root, number=number: (
                kill_before(number),
                CliRunner().invoke(app, ["store", "verify", "--store", str(root)]),
            )
        )
        places = [p for p in (root / "artifacts/key0", root / "damaged/key0-1") if p.exists()]
        assert len(places) == 1
        assert (places[0] / "deep/bulk.bin").exists()
        CliRunner().invoke(app, ["store", "verify", "--store", str(root)])
        work_here(root, KEPT)
        assert Store(root).verify("key0") == []
    print(f"\nverify killed at every write: {number - 1} kills, artifacts lost: 0")
    assert number > 3


def test_damaged_artifact_fails_its_own_key_and_the_others_go_on(root, calm):
    (root / "artifacts/key3").mkdir(parents=True)
    (root / "artifacts/key3/notes").write_text("of whom?")
    work_here(root, PLAN)
    states = {job.job.key: job for job in status_of(PLAN, Store(root)).jobs}
    assert states["key3"].state == "failed"
    assert "no manifest.json" in states["key3"].reason
    assert "clpd store verify" in states["key3"].reason
    assert {key for key, job in states.items() if job.state == "blocked"} == {"key5", "key7", "key8", "key9"}
    assert {key for key, job in states.items() if job.state == "done"} == {"key0", "key1", "key2", "key4", "key6"}
    assert clpd("store", "verify", "--store", root)[0] == 1
    work_here(root, PLAN)
    assert outputs(root, PLAN) == calm
    assert (root / "damaged/key3-1/notes").exists()


def test_gc_frees_what_it_says_and_leaves_what_is_referred_to(root):
    assert work(root, Trouble(kill_at=30)) == -signal.SIGKILL
    work_here(root, PLAN)
    assert list(root.glob("attempts/key0/1/checkpoints/*")), "what the killed attempt left"
    store, before = Store(root), size_of(root)
    garbage = find_garbage(store, KEPT.jobs)
    assert size_of(root) == before, "dry"
    assert remove(store, garbage) == sum(item.bytes for item in garbage) == before - size_of(root) > 0
    assert sorted(p.name for p in (root / "artifacts").iterdir()) == ["key0", "key2"]
    assert [store.verify(key) for key in KEPT.jobs] == [[], []]
    assert not list(root.glob("attempts/*/*/out"))
    assert not list(root.glob("attempts/*/*/checkpoints"))
    assert list(root.glob("attempts/key0/*/log.txt")), "records stay"
    assert find_garbage(store, KEPT.jobs) == []


def _die_half_way(path: Path, **options: object) -> None:
    next(file for file in path.rglob("*") if file.is_file()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)


def test_gc_killed_at_any_moment_leaves_no_half_artifact(tmp_path, in_child, kill_before, monkeypatch):
    work_here(tmp_path / "made", synthetic((0, 1, 2)))
    number, code = -1, -signal.SIGKILL
    while code:
        number += 1
        root = Path(shutil.copytree(tmp_path / "made", tmp_path / str(number)))

        def collect(root=root, number=number) -> None:
            store = Store(root)
            garbage = find_garbage(store, KEPT.jobs)
            if number:
                kill_before(number)
            else:
                monkeypatch.setattr(durable.shutil, "rmtree", _die_half_way)
            remove(store, garbage)

        code = in_child(collect)
        store = Store(root)
        assert all(store.verify(path.name) == [] for path in (root / "artifacts").iterdir())
        remove(store, find_garbage(store, KEPT.jobs))
        assert not list((root / "trash").iterdir())
        assert {path.name for path in (root / "artifacts").iterdir()} == set(KEPT.jobs)
    print(f"\ngc killed at every write and amid a removal: {number} kills, half artifacts: 0, losses: 0")
    assert number > 5


def test_gc_leaves_the_living_alone(full):
    store = Store(full)
    other = store.claim("stranger")
    with pytest.raises(UserError, match="somebody works on stranger"):
        find_garbage(store, PLAN.jobs)
    other.release()
    late = Store(full).claim("late")
    (late.checkpoints / "step-1").write_text("mine")
    durable.make_folder(full / "artifacts/late")
    durable.write_json(full / "artifacts/late/manifest.json", {"files": {}})
    assert str(late.folder) not in "".join(str(item.path) for item in find_garbage(store, [*PLAN.jobs, "late"]))
    late.release()
    assert late.checkpoints in [item.path for item in find_garbage(store, [*PLAN.jobs, "late"])]


def test_size_counts_every_byte_once(full):
    code, said = clpd("store", "size", "--store", full)
    assert code == 0
    assert said["difficulty"]["count"] == len(PLAN.jobs)
    assert said["total"]["bytes"] == sum(path.stat().st_size for path in full.rglob("*") if path.is_file())


def test_gc_by_ablation_files_is_dry_until_told(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text((Path(__file__).parents[1] / "settings/small.yaml").read_text())
    store = tmp_path / "s"
    made = next(iter(build_plan(load_ablation(file), file).jobs))
    with Store(store).claim(made) as attempt:
        attempt.out.mkdir(exist_ok=True)
        attempt.publish({"kind": "corpus"})
    work_here(store, KEPT)
    code, said = clpd("store", "gc", file, "--store", store)
    assert (code, said["deleted"]) == (0, False)
    assert {Path(item["path"]).name for item in said["garbage"] if "no plan" in item["why"]} == {"key0", "key2"}
    assert Store(store).is_done("key0")
    assert clpd("store", "gc", file, "--delete", "--store", store)[1]["bytes"] == said["bytes"]
    assert [path.name for path in (store / "artifacts").iterdir()] == [made]
