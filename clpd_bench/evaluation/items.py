"""Items: one row an outcome, without the name of anything but the item and the metric."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
        ("truncated", pa.bool_()),
    ]
)


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sample_rows(
    samples: list[dict[str, Any]], metrics: Iterable[str], ids: Sequence[str], truncated: Mapping[int, bool]
) -> list[dict[str, Any]]:
    """Rows of lm-eval's samples; the hashes are of the prompt and the target as lm-eval saw them.

    Args:
        metrics: those to keep.
        ids: of the samples, in their order.
        truncated: {lm-eval's number of the document: whether the output ended by length}.
    """
    return [
        {
            "item": item,
            "metric": metric,
            "filter": sample["filter"],
            "score": float(sample[metric]),
            "prompt_hash": text_hash(sample["arguments"][0][0]),
            "target_hash": text_hash(_target(sample)),
            "output": sample["resps"][0][0] if isinstance(sample["resps"][0][0], str) else None,
            "truncated": truncated.get(sample["doc_id"]),
        }
        for metric in metrics
        for item, sample in zip(ids, samples, strict=True)
    ]


def _target(sample: dict[str, Any]) -> str:
    """What was expected; where choices were weighed, with the choices, of which it is a number."""
    weighed = [one[1] for one in sample["arguments"]] if len(sample["arguments"]) > 1 else []
    return str([sample["target"], *weighed] if weighed else sample["target"])


def document_ids(samples: list[dict[str, Any]]) -> list[str]:
    """Of a task of lm-eval: hashes of the documents, and behind those that are there again which one it is."""
    seen: dict[tuple[str, str], int] = {}
    ids = []
    for sample in samples:
        known = (sample["filter"], sample["doc_hash"])
        seen[known] = seen.get(known, 0) + 1
        ids.append(sample["doc_hash"][:16] + (f"-{seen[known]}" if seen[known] > 1 else ""))
    return ids


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
            "truncated": None,
        }
        for item, value, prompt, response in texts
    ]


def write_items(rows: list[dict[str, Any]], difficulty: dict[str, float] | None, file: Path) -> None:
    """Rows in a fixed order, each with its item's difficulty; None where items have none."""
    ordered = sorted(rows, key=lambda row: (row["metric"], row["filter"], row["item"]))
    table = pa.Table.from_pylist(
        [{**row, "difficulty": difficulty[row["item"]] if difficulty else None} for row in ordered], schema=SCHEMA
    )
    pq.write_table(table, file, compression="zstd")
