"""Where a Slurm job's own output lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clpd_bench.launch.slurm import records


def outputs(store: Path, ids: Sequence[str]) -> list[Path]:
    """Files of a job's processes, in the newest launch that has any.

    Args:
        ids: names of the job, of which the last tells it apart: the last element of an array 120 has the number
            120, too, besides its name 120_3.
    """
    for launch in records.launches(store) if ids else []:
        found = sorted(records.logs(records.folder(store, launch.id)).glob(f"{ids[-1]}_*_log.out"))
        if found:
            return found
    return []
