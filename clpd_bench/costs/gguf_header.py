"""Dimensions out of the header of a GGUF file, whose layout is at github.com/ggml-org/ggml/blob/master/docs/gguf.md."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clpd_bench.settings.parts.dimensions import Dimensions, Family

HEADER_BYTES = 2**26
"""No header is longer; most of it is the vocabulary."""
FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
FAMILIES: dict[str, Family] = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3": "gemma3_text"}


def dimensions_of_gguf(files: Sequence[Path], source: str) -> Dimensions | None:
    """None where there is no such file, or none of a family that is known here.

    Args:
        files: the file, or its parts.
        source: what the file is called.
    """
    try:
        values, shapes = _Header(_beginning(files)).read()
        name = values["general.architecture"]
        heads = values[f"{name}.attention.head_count"]
        return Dimensions(
            model_type=FAMILIES[name],
            hidden_size=values[f"{name}.embedding_length"],
            num_hidden_layers=values[f"{name}.block_count"],
            num_attention_heads=heads,
            num_key_value_heads=values.get(f"{name}.attention.head_count_kv", heads),
            head_dim=values.get(f"{name}.attention.key_length"),
            intermediate_size=values[f"{name}.feed_forward_length"],
            vocab_size=shapes["token_embd.weight"][-1],
            tie_word_embeddings="output.weight" not in shapes,
            source=source,
        )
    except (OSError, KeyError, struct.error, UnicodeDecodeError, ValidationError):
        return None


def _beginning(files: Sequence[Path]) -> bytes:
    out = b""
    for file in files:
        with file.open("rb") as opened:
            out += opened.read(HEADER_BYTES - len(out))
    return out


class _Header:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
        """Values by key, arrays left out, and shapes of tensors by name.

        Raises:
            KeyError, struct.error, UnicodeDecodeError: it is no GGUF.
        """
        magic, version, tensors, keys = self._take("4sIQQ")
        if magic != b"GGUF" or version < 2:
            raise KeyError("GGUF")
        values = {self._text(): self._value(self._one("I")) for _ in range(keys)}
        shapes = {}
        for _ in range(tensors):
            name = self._text()
            shapes[name] = self._take(f"{self._one('I')}Q")
            self._take("IQ")  # its type, and where it lies
        return {key: value for key, value in values.items() if value is not None}, shapes

    def _take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{layout}", self._data, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return found

    def _one(self, layout: str) -> Any:
        return self._take(layout)[0]

    def _text(self) -> str:
        length = self._one("Q")
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def _value(self, kind: int) -> Any:
        """None of an array, which is passed over."""
        if kind == STRING:
            return self._text()
        if kind != ARRAY:
            return self._one(FORMATS[kind])
        inner, length = self._take("IQ")
        if inner in FORMATS:
            self._at += length * struct.calcsize(f"<{FORMATS[inner]}")
        else:
            for _ in range(length):
                self._value(inner)
        return None
