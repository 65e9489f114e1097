"""A Slurm of virtual nodes for tests: brought up by slurm/dev, broken on purpose, taken down."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "slurm" / "dev"
# The daemons lie where not every root's PATH leads.
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"

# Below the ports that the kernel hands out by itself. A block's first port is held by the test process for as
# long as its cluster lives, so that clusters of other processes choose another block.
FIRST_PORT, LAST_PORT, BLOCK = 20000, 32000, 64

# conf_lines with which a lost node is noticed after some 7 s, not 30. On a busy machine nodes may get lost by it.
QUICK_LOSS = "SlurmdTimeout=3\nMessageTimeout=2\nTCPTimeout=1"

# There are more that have not ended than one thinks: SIGNALING, for the moment in which a job gets a signal.
ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "TIMEOUT",
}


@dataclass(frozen=True)
class Job:
    """A line of squeue: an array is one line for each element."""

    id: str
    """As users write it: `17`, or `17_3` for an element of an array."""
    raw_id: str
    state: str
    reason: str
    comment: str
    name: str
    node: str


class Cluster:
    """
    A Slurm under a temporary folder, on ports of its own; up once made, until `down`.

    `settings` are the CLPD_SLURM_* variables of slurm/dev/README.md, without the prefix and in lower case:
    `Cluster(gpus=4, conf_lines="MaxArraySize=10")`.
    """

    def __init__(self, **settings: object) -> None:
        _end_orphans()
        # Not pytest's tmp_path: a socket's path has room for 107 characters.
        self.root = Path(tempfile.mkdtemp(prefix="clpd-slurm-"))
        (self.root / "owner").write_text(f"{os.getpid()} {_start_time(os.getpid())}")
        self.conf = self.root / "slurm.conf"
        self._held, port = _claim_ports()
        variables = {"root": self.root, "port": port, **settings}
        self._variables = {f"CLPD_SLURM_{name.upper()}": str(value) for name, value in variables.items()}
        try:
            self._script("up.sh")
        except BaseException:
            self.down()
            raise

    @property
    def env(self) -> dict[str, str]:
        """The environment for a subprocess that is to talk to this cluster, and to no other."""
        return {**_plain_environment(), "SLURM_CONF": str(self.conf)}

    def down(self) -> None:
        """Ends its jobs and daemons and removes its folder."""
        try:
            # Where up.sh has come so far as to make something.
            if (self.root / "first_job_id").exists():
                self._script("down.sh", "--wipe")
        finally:
            self._held.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command: str | Path, cwd: Path | None = None, check: bool = True) -> str:
        """What `command`, talking to this cluster, prints on standard output."""
        done = subprocess.run(
            list(map(str, command)), env=self.env, cwd=cwd, capture_output=True, text=True, timeout=60
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, command))} gave {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def sbatch(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """The id of a job submitted with these arguments."""
        return self.run("sbatch", "--parsable", *arguments, cwd=cwd).strip()

    # What it says.

    def jobs(self) -> list[Job]:
        """All jobs that the controller remembers, ended ones too."""
        # A comment may hold any character but a line's end; it stands last and takes the rest.
        lines = self.run("squeue", "-h", "-r", "-t", "all", "-o", "%i|%A|%T|%r|%N|%j|%k").splitlines()
        found = []
        for line in lines:
            id_, raw_id, state, reason, node, name, comment = line.split("|", 6)
            # squeue prints (null) where there is no comment.
            comment = "" if comment == "(null)" else comment
            found.append(Job(id_, raw_id, state, reason, comment, name, node))
        return found

    def job(self, job_id: str) -> Job:
        """The job, or the array's element, of that id."""
        jobs = self.jobs()
        for job in jobs:
            if job_id in (job.id, job.raw_id):
                return job
        raise AssertionError(f"no job {job_id} among {jobs}")

    def states(self) -> dict[str, str]:
        """Job id to state."""
        return {job.id: job.state for job in self.jobs()}

    def node_states(self) -> dict[str, str]:
        """Node to state, as sinfo's short form has it: `idle`, `mix`, `alloc`, `down*`, ..."""
        lines = self.run("sinfo", "-hN", "-p", "gpu", "-o", "%N %t").splitlines()
        return dict(line.split() for line in lines)

    def wait_until(self, holds: Callable[[], object], timeout: float = 60, what: str = "") -> None:
        """Returns once `holds()` is true; fails with the cluster's state after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > end:
                state = "\n".join(map(str, [self.node_states(), *self.jobs()]))
                raise AssertionError(f"not within {timeout:g} s: {what or holds}\n{state}")
            time.sleep(0.1)

    def wait_for_state(self, job_id: str, *states: str, timeout: float = 60) -> None:
        """Returns once the job is in one of `states`."""
        self.wait_until(lambda: self.job(job_id).state in states, timeout, f"{job_id} {' or '.join(states)}")

    def processes_of(self, job_id: str, name: str = "python") -> list[int]:
        """The pids of a job's processes whose program's name starts with `name`, oldest first."""
        found = []
        for pid, environment in self._processes():
            own = environment.get("SLURM_JOB_ID")
            element = f"{environment.get('SLURM_ARRAY_JOB_ID')}_{environment.get('SLURM_ARRAY_TASK_ID')}"
            if job_id in (own, element) and _program(pid).startswith(name):
                found.append(pid)
        return sorted(found)

    # What is done to it.

    def scancel(self, *arguments: str) -> None:
        self.run("scancel", *arguments)

    def cancel_all(self, timeout: float = 30) -> None:
        """Ends all jobs, so that the next test finds an idle cluster."""
        # KILL first: a job that handles SIGTERM would have KillWait seconds more.
        self.run("scancel", "--full", "--signal=KILL", "--state=RUNNING", "--user=root", check=False)
        self.run("scancel", "--user=root", check=False)
        self.wait_until(lambda: all(job.state in ENDED for job in self.jobs()), timeout, "all jobs ended")

    def release_requeued(self) -> None:
        """Lets jobs that wait for their begin time start in two seconds."""
        # Not at once: slurmd refuses a credential of the very second in which it has revoked the former one.
        for job in self.jobs():
            if job.state == "PENDING" and job.reason == "BeginTime":
                # It may have started meanwhile.
                self.run("scontrol", "update", f"jobid={job.id}", "StartTime=now+2", check=False)

    def kill_slurmd(self, node: str) -> None:
        """The node's daemon alone: its jobs go on."""
        _kill([self._pid(f"slurmd-{node}")])

    def lose_node(self, node: str) -> None:
        """All that runs on the node, as when the machine goes away. Slurm finds out after 30 s; see QUICK_LOSS."""
        # The daemon first, or it would report how its jobs ended.
        self.kill_slurmd(node)
        # A process that is forking may leave a child that the first look has missed.
        while left := self._processes_on(node):
            _kill(left)

    def start_slurmd(self, node: str) -> None:
        """The node again, after kill_slurmd or lose_node."""
        self._daemon("slurmd", "-f", self.conf, "-N", node)
        self.wait_until(lambda: not self.node_states()[node].startswith(("down", "unk")), what=f"{node} is up")

    def kill_slurmctld(self) -> None:
        _kill([self._pid("slurmctld")])

    def start_slurmctld(self) -> None:
        self._daemon("slurmctld", "-f", self.conf)
        self.wait_until(lambda: "is UP" in self.run("scontrol", "ping", check=False), what="slurmctld answers")

    def wait_until_saved(self) -> None:
        """Returns once slurmctld has written down all it knows, which it does every few seconds."""
        asked = time.time()
        for job in self.jobs():
            # It writes only after a change, and this is one.
            self.run("scontrol", "update", f"jobid={job.id}", f"comment={job.comment}", check=False)
        self.wait_until(lambda: (self.root / "state" / "job_state").stat().st_mtime > asked, what="state is saved")

    def restart_slurmctld(self) -> None:
        """Killed, then started from what it had saved: the last seconds are lost, unless `wait_until_saved`."""
        self.kill_slurmctld()
        self.start_slurmctld()

    def _script(self, name: str, *arguments: str) -> None:
        command = [str(SCRIPTS / name), *arguments]
        done = subprocess.run(command, env={**self.env, **self._variables}, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} gave {done.returncode}:\n{done.stderr}")

    def _daemon(self, *command: str | Path) -> None:
        subprocess.run(list(map(str, command)), env=self.env, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def _pid(self, daemon: str) -> int:
        return int((self.root / "run" / f"{daemon}.pid").read_text())

    def _processes(self) -> list[tuple[int, Mapping[str, str]]]:
        """Each process that slurmd has started for a job, with its environment."""
        found = []
        for pid in _pids():
            environment = _environment(pid)
            if environment.get("SLURM_CONF") == str(self.conf) and "SLURMD_NODENAME" in environment:
                found.append((pid, environment))
        return found

    def _processes_on(self, node: str) -> list[int]:
        of_jobs = [pid for pid, environment in self._processes() if environment["SLURMD_NODENAME"] == node]
        # A slurmstepd tells its node only by the log of its slurmd, which it keeps open.
        log = str(self.root / "log" / f"slurmd-{node}.log")
        return of_jobs + [pid for pid in _pids() if _program(pid) == "slurmstepd" and log in _open_files(pid)]


MakeCluster = Callable[..., Cluster]


def why_no_slurm() -> str:
    """Why no cluster can be brought up here, with the remedy; empty if one can."""
    missing = [
        program for program in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(program, path=PATH)
    ]
    if os.geteuid() != 0:
        return "a development Slurm needs root: run the tests as root"
    if missing:
        return f"{', '.join(missing)} not installed: make slurm-install"
    return ""


def why_no_accounting() -> str:
    """The same for a cluster with accounting."""
    missing = [program for program in ("slurmdbd", "mariadbd") if not shutil.which(program, path=PATH)]
    if missing:
        return f"{', '.join(missing)} not installed: make slurm-install CLPD_SLURM_ACCOUNTING=1"
    return why_no_slurm()


def _plain_environment() -> dict[str, str]:
    """The environment without what the user has set for a Slurm of their own."""
    slurms = ("CLPD_SLURM_", "SLURM", "SBATCH", "SRUN", "SQUEUE", "SINFO", "SACCT", "SCANCEL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(slurms)}
    return {**kept, "PATH": PATH}


def _end_orphans() -> None:
    """Ends the clusters of test processes that were killed and could not do it."""
    for owner in Path(tempfile.gettempdir()).glob("clpd-slurm-*/owner"):
        try:
            pid, started = owner.read_text().split()
        except (OSError, ValueError):
            continue  # Another test process is about to end it, or to start it.
        if _start_time(int(pid)) != started:
            env = {**_plain_environment(), "CLPD_SLURM_ROOT": str(owner.parent)}
            subprocess.run([SCRIPTS / "down.sh", "--wipe"], env=env, capture_output=True)


def _claim_ports() -> tuple[socket.socket, int]:
    """A socket that holds a block of ports against other tests, and the block's first free port."""
    for first in range(FIRST_PORT, LAST_PORT, BLOCK):
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", first))
        except OSError:
            held.close()
            continue
        # The block may hold daemons of a test process that was killed.
        if all(_is_free(first + offset) for offset in (*range(1, 4), *range(11, 16))):
            return held, first + 1
        held.close()
    raise RuntimeError(f"no free block of ports between {FIRST_PORT} and {LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the daemons do: a connection that is still closing is no reason to stay away.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> Mapping[str, str]:
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r"([^=\0]+)=([^\0]*)", text))


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _open_files(pid: int) -> set[str]:
    found = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            found.add(str(link.readlink()))
    except OSError:
        pass  # It has ended, or closed that file.
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold anything; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    stat = _stat(pid)
    # Z and X are dead, and not yet waited for.
    return bool(stat) and stat[0] not in "ZX"


def _start_time(pid: int) -> str:
    """Tells a process from a later one of the same number."""
    stat = _stat(pid)
    return stat[19] if stat else ""


def _kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    while any(_is_alive(pid) for pid in pids):
        time.sleep(0.01)
