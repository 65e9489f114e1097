"""Items: one row an outcome, without the name of anything but the item and the metric."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split

SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        ("metric", pa.string()),
        ("filter", pa.string()),
        ("score", pa.float64()),
        ("difficulty", pa.float64()),
        ("prompt_hash", pa.string()),
        ("target_hash", pa.string()),
        ("output", pa.string()),
    ]
)


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def exact_match_rows(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of lm-eval's samples; the hashes are of the prompt and the target as lm-eval saw them."""
    return [
        {
            "item": sample["doc"]["id"],
            "metric": "exact_match",
            "filter": sample["filter"],
            "score": float(sample["exact_match"]),
            "prompt_hash": text_hash(sample["arguments"][0][0]),
            "target_hash": text_hash(str(sample["target"])),
            "output": sample["resps"][0][0],
        }
        for sample in samples
    ]


def response_loss_rows(split: Split, loss: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Rows of the mean nats a response token, shape [N]."""
    texts = zip(split.ids.tolist(), loss.tolist(), split.texts("prompt"), split.texts("response"), strict=True)
    return [
        {
            "item": item,
            "metric": "response_loss",
            "filter": "none",
            "score": value,
            "prompt_hash": text_hash(prompt),
            "target_hash": text_hash(response),
            "output": None,
        }
        for item, value, prompt, response in texts
    ]


def write_items(rows: list[dict[str, Any]], difficulty: dict[str, float], file: Path) -> None:
    """Rows in a fixed order, each with its item's difficulty."""
    ordered = sorted(rows, key=lambda row: (row["metric"], row["filter"], row["item"]))
    table = pa.Table.from_pylist([{**row, "difficulty": difficulty[row["item"]]} for row in ordered], schema=SCHEMA)
    pq.write_table(table, file, compression="zstd")
