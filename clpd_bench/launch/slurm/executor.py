"""One array of batches to Slurm, by submitit.

submitit writes the job script and calls sbatch. Its pickles are not used: it names them by the job's number,
so after sbatch, and a launcher that dies in between leaves jobs that fail for want of theirs. What our jobs
need is written before (`records`), and they are started by a command of our own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from submitit.core.utils import FailedJobError
from submitit.slurm.slurm import SlurmExecutor

from clpd_bench.errors import UserError
from clpd_bench.launch.processes import job_environment
from clpd_bench.launch.slurm import records
from clpd_bench.launch.slurm.records import Launch
from clpd_bench.launch.slurm.site import Site

ENTRY = "clpd_bench.launch.slurm.task"


class ArrayExecutor(SlurmExecutor):  # type: ignore[misc]
    """The script and the submission of one array of a launch."""

    def __init__(self, store: Path, launch: Launch, site: Site, profile: str, number: int, size: int) -> None:
        self._place = records.folder(store, launch.id)
        self._number = number
        super().__init__(folder=records.logs(self._place), python=shlex.quote(sys.executable))
        self.update_parameters(**_parameters(site, profile, launch, number, self._place))
        self.parameters["wckey"] = None  # submitit's own default: its name
        if size > 1:
            self.parameters["map_count"] = size

    @property
    def _submitit_command_str(self) -> str:
        # -P: the folder in which `launch` was typed may hold another clpd_bench.
        return f"{self.python} -P -u -m {ENTRY} {shlex.quote(str(self._place))} {self._number}"

    def script(self) -> str:
        """The text that sbatch gets."""
        text: str = self._make_submission_file_text(self._submitit_command_str, "")
        return text

    def options(self) -> list[str]:
        """What sbatch is asked for, as it stands in the script."""
        mark = "#SBATCH "
        return [line.removeprefix(mark) for line in self.script().splitlines() if line.startswith(mark)]

    def submit_after(self, dependency: str | None) -> str:
        """Slurm's number of the array, which waits for the `dependency`.

        Raises:
            UserError: sbatch refused.
        """
        if dependency:
            self.parameters["dependency"] = dependency
        try:
            with _outside_of_jobs():
                job: str = self._submit_command(self._submitit_command_str).job_id
        except FailedJobError as error:
            lines = [line for line in str(error).splitlines() if line.startswith("sbatch:")]
            raise UserError(
                f"sbatch refused: {' '.join(lines) or error}",
                fix="Correct the site file; clpd launch FILE --site SITE --check says more. What was submitted stays, "
                "and launching again adds the rest",
            ) from None
        records.write_job(self._place, self._number, job)
        return job


def _parameters(site: Site, name: str, launch: Launch, number: int, place: Path) -> dict[str, Any]:
    profile = site.profiles[name]
    exports = {**job_environment(), "PYTHONPATH": str(records.snapshot(place)), **site.environment}
    gpus = f"{profile.gpu_type}:{profile.gpus}" if profile.gpu_type else profile.gpus or None
    asked = {
        "job_name": f"clpd-{launch.ablation}",
        "comment": records.comment(launch.id, number),
        "time": profile.time,
        "nodes": profile.nodes,
        "ntasks_per_node": profile.tasks,
        "cpus_per_task": profile.cpus,
        "mem": profile.memory,
        "gpus_per_node": gpus,
        "partition": profile.partition,
        "account": profile.account,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "signal_delay_s": site.warning_seconds,
        "array_parallelism": profile.array_parallelism or sys.maxsize,
        "stderr_to_stdout": True,
        # A line of the user's that fails must not end in a job that runs without it.
        "setup": ["set -e", *site.setup, *(f"export {key}={shlex.quote(value)}" for key, value in exports.items())],
        # From Slurm 22.05 on srun does not take it over from sbatch.
        "srun_args": [f"--cpus-per-task={profile.cpus}"],
        "additional_parameters": {"requeue": True, "kill-on-invalid-dep": "yes", **profile.extra},
    }
    return {key: value for key, value in asked.items() if value is not None}


@contextmanager
def _outside_of_jobs() -> Iterator[None]:
    """Without what a surrounding Slurm job says of itself, which sbatch would take for wishes."""
    inside = {key: os.environ[key] for key in os.environ if key.startswith("SLURM_") and key != "SLURM_CONF"}
    for key in inside:
        del os.environ[key]
    try:
        yield
    finally:
        os.environ.update(inside)
