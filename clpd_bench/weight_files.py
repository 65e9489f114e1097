"""Files of pretrained weights, looked at from outside: that they are there, whole, and what they are called."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.lfs import refuse_pointer
from clpd_bench.settings.pretrained import ADAPTER, Gguf, Hub, Local

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
            f"{source.written} is not whole: {min(lacking)} is missing, {len(lacking)} files in all",
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
        f"{source.written} has {'pickled weights alone' if pickled else 'no safetensors'}, and pickle can execute code",
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
            f"{source.written} holds an adapter ({ADAPTER}), and adapters are not read here",
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
            f"{source.written} is none: it begins with {beginning!r}, and every GGUF file with {GGUF!r}",
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
            raise UserError(
                f"{file.name} of {source.written} is no safetensors file", key="initial", fix=AGAIN
            ) from None
        if wanted == size:
            return
        told = f"has {size} bytes, and {wanted} by its header"
    else:
        told = f"ends within its header, after {size} bytes"
    raise UserError(f"{file.name} of {source.written} is cut short or damaged: it {told}", key="initial", fix=AGAIN)
