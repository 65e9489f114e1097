"""Pretrained weights as files on this machine: where they lie, whether they are whole, what they are called."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.outside.hub import cached_folder
from clpd_bench.outside.local_files import refuse_pointer, sha256_of
from clpd_bench.settings.parts.pretrained import ADAPTER, Gguf, Hub, Local, Start

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
GGUF = b"GGUF"
AGAIN = "Fetch or copy it again"


def require_weights(folder: Path, source: Hub | Local) -> None:
    """
    Raises:
        UserError: there are none of a kind that may be read, not all that the folder's index lists, one is cut short
            or not what its name says; or there is an adapter to be put on them.
        OSError: a file cannot be read.
    """
    refuse_adapter(folder, source)
    read = _safetensors(folder)
    lacking = [file.name for file in read if not file.exists()]
    if lacking:
        raise UserError(
            f"{source.label} is not whole: {min(lacking)} is missing, {len(lacking)} files in all",
            key="initial",
            fix="Fetch or copy them, too",
        )
    for file in read or (folder.glob("*.bin") if source.pickle else ()):
        refuse_pointer(file)
    for file in read:
        _require_whole(file, source)
    if source.pickle or any(folder.glob("*.safetensors")):
        return
    pickled = any(folder.glob("*.bin"))
    raise UserError(
        f"{source.label} has {'pickled weights alone' if pickled else 'no safetensors'}, and pickle can execute code",
        key="initial.pickle",
        fix="Take a revision with safetensors; or, if you trust whoever made it, set pickle: true",
    )


def refuse_adapter(folder: Path, source: Hub | Local) -> None:
    """
    Raises:
        UserError: there is one.
    """
    if (folder / ADAPTER).exists():
        raise UserError(
            f"{source.label} holds an adapter ({ADAPTER}), and adapters are not read here",
            key="initial",
            fix="Merge it into its base model (peft: AutoPeftModelForCausalLM.from_pretrained(FOLDER)"
            ".merge_and_unload().save_pretrained(NEW), and the tokenizer's files) and give that folder; or, to start "
            "from the weights beside it, a copy without the adapter's files",
        )


def require_gguf(source: Gguf) -> None:
    """
    Raises:
        UserError: it is no GGUF file.
        OSError: it cannot be read.
    """
    refuse_pointer(source.files[0])
    with source.files[0].open("rb") as opened:
        beginning = opened.read(len(GGUF))
    if beginning != GGUF:
        raise UserError(
            f"{source.label} is none: it begins with {beginning!r}, and every GGUF file with {GGUF!r}",
            key="initial",
            fix="Give the file itself; its parts in their order, the first one first, as `parts`",
        )


def stored_parameters(folder: Path) -> int | None:
    """Weights in a folder's safetensors, tied ones counted once, out of their headers; None where there are none."""
    files = _safetensors(folder)
    return sum(math.prod(one["shape"]) for file in files for one in _tensors(file).values()) if files else None


def _safetensors(folder: Path) -> list[Path]:
    """Those that transformers reads, as far as they go by the names that it looks for.

    Raises:
        UserError: their index is none.
    """
    single, index = folder / SINGLE, folder / INDEX
    if single.exists() or not index.exists():
        return [single] if single.exists() else []
    refuse_pointer(index)
    try:
        return [folder / name for name in sorted({*json.loads(index.read_text())["weight_map"].values()})]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(
            f"{INDEX} in folder {folder.name} does not say which file holds which weights", file=index, fix=AGAIN
        ) from None


def _tensors(file: Path) -> dict[str, Any]:
    """A safetensors file begins with the length of its header, 8 bytes, and the header, JSON; data follow."""
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}


def _require_whole(file: Path, source: Hub | Local) -> None:
    """
    Raises:
        UserError: the file does not end where its header says.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = 8 + int.from_bytes(opened.read(8), "little")
    if start <= size:
        try:
            wanted = start + max((tensor["data_offsets"][1] for tensor in _tensors(file).values()), default=0)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"{file.name} of {source.label} is no safetensors file", key="initial", fix=AGAIN) from None
        if wanted == size:
            return
        damage = f"has {size} bytes, and {wanted} by its header"
    else:
        damage = f"ends within its header, after {size} bytes"
    raise UserError(f"{file.name} of {source.label} is cut short or damaged: it {damage}", key="initial", fix=AGAIN)


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
            raise UserError(f"{source.label} is none of a model: there is no config.json in it", file=source.folder)
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
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if "trust_remote_code" in str(error):
        return UserError(
            f"the {what} of {source.label} is loaded by code that comes with it",
            key="initial.trust_remote_code",
            fix="Read that code, and set trust_remote_code: true to let it be executed; or take another model",
        )
    return UserError(
        f"the {what} of {source.label} cannot be loaded: {type(error).__name__}: {reason}",
        key="initial",
        fix="If the file is cut short or damaged, fetch or copy it again" if isinstance(source, Gguf) else None,
    )
