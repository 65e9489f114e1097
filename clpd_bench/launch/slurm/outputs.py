"""Where a Slurm job's own output lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clpd_bench.launch.slurm import records


def outputs(store: Path, ids: Iterable[str]) -> list[Path]:
    """Files `<id>_<process>_log.out` of a job that has one of these names, in the newest launch that has any."""
    names = set(ids)
    for launch in records.launches(store) if names else []:
        folder = records.logs(records.folder(store, launch.id))
        # Told apart by all of the name: what begins with 120 may be the job 120, or the element 120_3.
        found = [
            file
            for name in names
            for file in folder.glob(f"{name}_*_log.out")
            if file.name.removesuffix("_log.out").rpartition("_")[0] == name
        ]
        if found:
            return sorted(found)
    return []
