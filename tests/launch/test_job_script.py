"""What a user writes never becomes more than a word of a job script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.executor import ArrayExecutor
from clpd_bench.launch.slurm.records import Launch
from clpd_bench.launch.slurm.site import Profile, Site, Use

pytestmark = pytest.mark.skipif(
    subprocess.run(["which", "srun"], capture_output=True).returncode != 0,
    reason="submitit writes no script without Slurm's srun; make slurm-install",
)
EVIL = "a'b\"c; touch HACKED $(touch HACKED) `touch HACKED` & \\ #x"


def script(store: Path, name: str = EVIL, **site: object) -> str:
    launch = Launch("20260101-000000-abcdef", name, "f.yaml", "s.yaml", "me", "here", "now")
    profile = Profile(time=60, partition=EVIL, account=EVIL, constraint=EVIL, extra={"mail-user": EVIL})
    wanted = Site(profiles={"p": profile}, use=Use(default="p"), **site)
    records.logs(records.folder(store, launch.id)).mkdir(parents=True)
    return ArrayExecutor(store, launch, wanted, "p", 0, 3).script()


def test_names_and_paths_are_words_of_the_script_whatever_is_in_them(tmp_path):
    store = tmp_path / EVIL.replace("/", "")
    text = script(store, environment={"NAME": EVIL})
    # The command, with srun and python replaced by one that prints what it gets.
    shown = tmp_path / "argv.json"
    fake = "srun() { python3 -c \"import json,os,sys; json.dump([sys.argv[1:], os.environ['NAME'], " + (
        f"os.environ['PYTHONPATH']], open('{shown}','w'))\" \"$@\"; }}\n"
    )
    done = subprocess.run(["bash", "-c", fake + text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words, name, path = json.loads(shown.read_text())
    place = records.folder(store, "20260101-000000-abcdef")
    assert words[-2:] == [str(place), "0"]
    assert name == EVIL
    assert path == str(records.snapshot(place))
    assert not list(tmp_path.rglob("HACKED"))


def test_every_option_is_one_line_that_sbatch_reads(tmp_path):
    lines = [line for line in script(tmp_path).splitlines() if line.startswith("#SBATCH")]
    keys = [line.split()[1].split("=")[0] for line in lines]
    assert len(keys) == len(set(keys))
    assert "--kill-on-invalid-dep" in keys
    assert "--requeue" in keys
    assert "--wckey" not in keys


def test_a_setup_line_that_fails_ends_the_job_before_the_worker(tmp_path):
    text = script(tmp_path, setup=("false",))
    done = subprocess.run(["bash", "-c", "srun() { echo RAN; }\n" + text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "RAN" not in done.stdout
