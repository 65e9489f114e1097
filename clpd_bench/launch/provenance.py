"""Where a result comes from: the source's revision and what was edited since, versions, machine."""

from __future__ import annotations

import functools
import json
import platform
import socket
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
RECORD = "revision.json"
"""Beside a snapshot's package, which is in no checkout."""


@dataclass(frozen=True)
class Revision:
    """Attributes:
    commit: None outside a checkout.
    diff: of the package's folder against it, new files included; empty where nothing was edited.
    """

    commit: str | None
    diff: str

    @property
    def name(self) -> str | None:
        """The commit, `-dirty` behind it where the package itself was edited: a report rewritten beside it
        changes nothing of where a result came from."""
        return f"{self.commit}-dirty" if self.commit and self.diff else self.commit


@functools.cache
def revision() -> Revision:
    """Of the package that this process runs."""
    record = PACKAGE.parent / RECORD
    if record.is_file():
        return Revision(**json.loads(record.read_text()))
    try:
        commit = _git("rev-parse", "HEAD")
        new = _git("ls-files", "--others", "--exclude-standard", "--", ".").splitlines()
        diff = _git("diff", "HEAD", "--", ".")
        return Revision(commit.strip(), diff + "".join(_added(name) for name in new))
    except (OSError, subprocess.SubprocessError):
        return Revision(None, "")


def write_record(folder: Path) -> None:
    """Says beside a snapshot of the package what it is a snapshot of."""
    (folder / RECORD).write_text(json.dumps(asdict(revision()), indent=1))


def _added(name: str) -> str:
    return _git("diff", "--no-index", "--", "/dev/null", name, codes=(0, 1))


def _git(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    command = ["git", "-C", str(PACKAGE), *words]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20)
    if done.returncode not in codes:
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout


PACKAGES = ("clpd-bench", "torch", "transformers", "lm_eval", "tokenizers", "datasets", "numpy", "pyarrow")


@functools.cache
def provenance() -> dict[str, Any]:
    """Git revision of the package's source (None outside a checkout), versions, host and processor."""
    return {
        "git": revision().name,
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "platform": platform.platform(),
    }


def device_name() -> str:
    """The accelerator jobs of this process run on, or the processor's kind."""
    import torch  # seconds to import: only a worker, which has it already, asks

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu ({platform.machine()})"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
