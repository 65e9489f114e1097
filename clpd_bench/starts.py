"""Pretrained weights as files on this machine."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from clpd_bench.digests import sha256_of
from clpd_bench.errors import UserError
from clpd_bench.hub import cached_folder
from clpd_bench.lfs import refuse_pointer
from clpd_bench.settings.pretrained import Gguf, Hub, Local, Start
from clpd_bench.weight_files import refuse_adapter, require_gguf, require_weights


@dataclass(frozen=True)
class Located:
    """What `from_pretrained` is given.

    Attributes:
        gguf: name of the GGUF file in the folder, None where there is none.
    """

    folder: Path
    gguf: str | None = None


def start_of(source: Hub | Local | Gguf, tokenizer_alone: bool = False) -> Start:
    """The source with the sha256 of its local files; a hub's files are known by their commit.

    Raises:
        UserError: a file is missing or cannot be read, is not whole or not what its name says; see `require_weights`.
    """
    if tokenizer_alone:
        source = source.tokenizer_alone()
    return Start(source=source, sha256=_digests(source, tokenizer_alone))


def _digests(source: Hub | Local | Gguf, tokenizer_alone: bool) -> dict[str, str]:
    if isinstance(source, Hub):
        return {}
    try:
        if isinstance(source, Gguf):
            require_gguf(source)
            return {"gguf": sha256_of(*source.files)}
        refuse_adapter(source.folder, source)
        patterns = source.tokenizer_patterns if tokenizer_alone else source.patterns
        names = sorted(f.name for f in source.folder.iterdir() if any(fnmatch(f.name, p) for p in patterns))
        if "config.json" not in names:
            raise UserError(f"{source.written} is none of a model: there is no config.json in it", file=source.folder)
        for name in names:
            if any(fnmatch(name, p) for p in source.tokenizer_patterns):
                refuse_pointer(source.folder / name)
        if not tokenizer_alone:
            require_weights(source.folder, source)
        return {name: sha256_of(source.folder / name) for name in names}
    except OSError as error:
        raise UserError(f"{error.filename!r} cannot be read: {error.strerror}", found=error.filename) from None


def files_of(start: Start) -> list[tuple[tuple[Path, ...], str]]:
    """The local files of a start and their sha256; of parts the one of all."""
    source = start.source
    if isinstance(source, Gguf):
        return [(source.files, start.sha256["gguf"])]
    return (
        [((source.folder / name,), digest) for name, digest in start.sha256.items()]
        if isinstance(source, Local)
        else []
    )


def origin(start: Start) -> dict[str, str | list[str] | dict[str, str]]:
    """Where weights come from, in words that mean the same on any machine."""
    source = start.source
    if isinstance(source, Hub):
        return {"hub": source.model, "revision": source.revision}
    if isinstance(source, Gguf):
        return {"gguf": [file.name for file in source.files], "sha256": start.sha256}
    return {"folder": source.folder.name, "sha256": start.sha256}


@contextlib.contextmanager
def located(start: Start, scratch: Path, tokenizer_alone: bool = False) -> Iterator[Located]:
    """The files, checked against what was planned.

    Args:
        scratch: a folder in which parts may be put together for as long as the context is open.

    Raises:
        UserError: files have changed, or a hub's are not in its cache.
    """
    source = start.source
    for files, digest in files_of(start):
        if sha256_of(*files) != digest:
            raise UserError("the file has changed since it was planned", file=files[0], fix="Run the command again")
    if isinstance(source, Hub):
        patterns = source.tokenizer_patterns if tokenizer_alone else source.patterns
        yield Located(cached_folder(source.model, source.revision, patterns, "model"))
    elif isinstance(source, Local):
        yield Located(source.folder)
    elif source.file is not None:
        yield Located(source.file.parent, source.file.name)
    else:
        with tempfile.TemporaryDirectory(dir=scratch) as whole:
            with (Path(whole) / "model.gguf").open("wb") as written:
                for part in source.parts:
                    with part.open("rb") as opened:
                        shutil.copyfileobj(opened, written, 1 << 20)
            yield Located(Path(whole), "model.gguf")


def unreadable(what: str, source: Hub | Local | Gguf, error: Exception) -> UserError:
    """What transformers says of a model or tokenizer that it does not load, in our words."""
    told = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if "trust_remote_code" in str(error):
        return UserError(
            f"the {what} of {source.written} is loaded by code that comes with it",
            key="initial.trust_remote_code",
            fix="Read that code, and set trust_remote_code: true to let it be executed; or take another model",
        )
    return UserError(
        f"the {what} of {source.written} cannot be loaded: {type(error).__name__}: {told}",
        key="initial",
        fix="If the file is cut short or damaged, fetch or copy it again" if isinstance(source, Gguf) else None,
    )
