"""Files of a model or data hub, at one commit: out of the local cache, or fetched where the hub may be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from clpd_bench.errors import UserError

Repository = Literal["model", "dataset"]


def hub_file(repository: str, revision: str, path: str, kind: Repository) -> Path:
    """A file of a hub repository at a commit, as it lies in the hub's cache.

    `HF_HUB_CACHE` says where the cache is; with `HF_HUB_OFFLINE=1` nothing is fetched.

    Raises:
        UserError: it is not in the cache and cannot be fetched.
    """
    from huggingface_hub import hf_hub_download  # half a second to import

    try:
        return Path(hf_hub_download(repository, path, revision=revision, repo_type=kind))
    except (OSError, ValueError) as error:  # the hub's own errors are of these two kinds
        raise _missing(f"{path} of {kind} {repository}", repository, revision, kind, error) from None


def hub_folder(repository: str, revision: str, patterns: list[str], kind: Repository) -> Path:
    """The folder of the cache with all files of a repository at a commit that match a pattern.

    Raises:
        UserError: they are not in the cache and cannot be fetched.
    """
    from huggingface_hub import snapshot_download  # half a second to import

    try:
        return Path(snapshot_download(repository, revision=revision, repo_type=kind, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        raise _missing(f"{kind} {repository}", repository, revision, kind, error) from None


def _missing(what: str, repository: str, revision: str, kind: Repository, error: Exception) -> UserError:
    return UserError(
        f"{what} at revision {revision} is not in the hub's cache, and fetching it failed: "
        f"{type(error).__name__}: {str(error).strip().splitlines()[0]}",
        fix=f"Check id and revision; where there is a network, fetch it once (`hf download {repository} --revision "
        f"{revision}{' --repo-type dataset' if kind == 'dataset' else ''}`), and let HF_HUB_CACHE name the cache",
    )
