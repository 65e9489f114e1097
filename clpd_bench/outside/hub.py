"""The hub of models and data sets: which commit a branch is at, and files at one commit, in the hub's own cache.

`HF_ENDPOINT` names the hub, `HF_HUB_CACHE` the cache. Jobs take files out of the cache alone; whoever starts them
has them fetched before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from clpd_bench.errors import UserError

Repository = Literal["model", "dataset"]
WORDS: dict[Repository, str] = {"model": "model", "dataset": "data set"}
SECONDS = 20
"""That the hub may take for an answer."""


def cache() -> Path:
    """Where the hub's cache is."""
    from huggingface_hub import constants  # half a second to import

    return Path(constants.HF_HUB_CACHE)


def commit_of(repository: str, revision: str, kind: Repository) -> str:
    """The commit that a branch or tag is at, by the hub's word.

    Raises:
        UserError: the hub cannot be reached, has no such repository or revision, or does not let us in.
    """
    from huggingface_hub import HfApi  # half a second to import

    with _told(repository, revision, kind, "could not be looked up"):
        return str(HfApi().repo_info(repository, repo_type=kind, revision=revision, timeout=SECONDS).sha)


def fetched_folder(repository: str, revision: str, patterns: Sequence[str], kind: Repository) -> Path:
    """The folder of the cache with all files at a commit that match a pattern, after fetching what is missing.

    Files that are there are not fetched again. With `HF_HUB_OFFLINE=1` none is.

    Raises:
        UserError: they are not in the cache and cannot be fetched.
    """
    from huggingface_hub import snapshot_download  # half a second to import

    with _told(repository, revision, kind, "is not in the hub's cache, and could not be fetched"):
        return Path(snapshot_download(repository, revision=revision, repo_type=kind, allow_patterns=[*patterns]))


def cached_folder(repository: str, revision: str, patterns: Sequence[str], kind: Repository) -> Path:
    """The same out of the cache alone, whether or not there is a network.

    Where the cache knows the repository's files, as it does of whatever was fetched here, all that match are there.

    Raises:
        UserError: they are not.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import IncompleteSnapshotError

    try:
        return Path(
            snapshot_download(
                repository, revision=revision, repo_type=kind, allow_patterns=[*patterns], local_files_only=True
            )
        )
    except IncompleteSnapshotError as error:
        missing = str(error).partition(" is incomplete: ")[2].partition(". Outgoing")[0] or "files are missing"
        raise _not_cached(repository, revision, kind, f"is in the hub's cache in part: {missing}") from None
    except (OSError, ValueError):
        raise _not_cached(repository, revision, kind, "is not in the hub's cache") from None


def _not_cached(repository: str, revision: str, kind: Repository, what: str) -> UserError:
    return UserError(
        f"{WORDS[kind]} {repository} at revision {revision} {what}",
        fix="Where there is a network: `clpd lock FILE --fetch`; HF_HUB_CACHE names the cache",
    )


@contextmanager
def _told(repository: str, revision: str, kind: Repository, failed: str) -> Iterator[None]:
    """What the hub's library raises, in our words.

    Args:
        failed: what is to be said where the hub said nothing of its own.
    """
    from huggingface_hub import constants, errors

    name = f"{WORDS[kind]} {repository}"
    page = f"{constants.ENDPOINT}/{'datasets/' if kind == 'dataset' else ''}{repository}"
    sign_in = "with a token that may read it: `hf auth login`, or HF_TOKEN"
    try:
        yield
    except errors.GatedRepoError:
        raise UserError(
            f"{name} is gated, and the hub does not let you in",
            fix=f"Accept its licence at {page}, and come back {sign_in}",
        ) from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"the hub ({constants.ENDPOINT}) has no {name}, or does not show it to you",
            fix=f"Correct the id; if it is private or gated, come back {sign_in}",
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(
            f"{name} has no revision {revision!r}", fix=f"Take a branch, tag or commit that stands at {page}"
        ) from None
    except (errors.HTTPError, OSError, ValueError) as error:  # type: ignore[attr-defined]  # its HTTP library's base
        status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
        if status in (401, 403):
            raise UserError(
                f"the hub does not let you read {name}", fix=f"Accept its licence at {page}, and come back {sign_in}"
            ) from None
        lines = str(error).strip().splitlines() or [""]
        raise UserError(
            f"{name} at revision {revision} {failed} ({constants.ENDPOINT}: {type(error).__name__}: {lines[0]})",
            fix="Try again where there is a network (HF_ENDPOINT names the hub, HF_HUB_OFFLINE=1 forbids asking it); "
            "`clpd lock FILE --fetch` fills the cache that HF_HUB_CACHE names",
        ) from None
