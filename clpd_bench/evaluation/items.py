"""From lm-eval's results to items: one row an outcome, without the name of anything but the item and the metric."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.metrics import METRICS, lower_is_better

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


def item_metrics(task: Any, samples: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The metrics that are a number an item and known here, and those that are left out: corpus-level ones
    (perplexity, F1 of a set), which no item has, and names that no report knows. lm-eval's own results have them all.

    Raises:
        UserError: none is left; or the task takes a known one the other way round.
    """
    names = list(dict.fromkeys(name for sample in samples for name in sample["metrics"]))
    kept = [name for name in names if name in METRICS and all(isinstance(sample.get(name), Real) for sample in samples)]
    if not kept:
        raise UserError(
            f"task {task.task_name!r} has no metric that is a number an item and known here; it has {', '.join(names)}",
            key="task",
            allowed=METRICS,
            fix="Take another task, or write one of your own with such a metric and give its folder as `include`",
        )
    for name in kept:
        higher = task.higher_is_better().get(name, True)
        if higher == lower_is_better(name):
            raise UserError(
                f"task {task.task_name!r} says that {'more' if higher else 'less'} {name} is better, and here it is "
                "the other way round",
                key="task",
            )
    return kept, [name for name in names if name not in kept]


FOLDER = "lm_eval"


def write_results(results: dict[str, Any], model: str, dtype: str, batch_size: int, out: Path) -> None:
    """Writes `lm_eval/<model>/results_<time>.json` and `samples_<task>_<time>.jsonl` into `out`.

    Nothing in them says where things lie on this machine, and only the time differs between two evaluations of
    one model. The samples are lm-eval's own, and are changed by it.

    Args:
        model: a name.
    """
    from lm_eval.loggers import EvaluationTracker  # costs seconds to import: only for who evaluates

    arguments = {"pretrained": model, "dtype": dtype}
    tracker = EvaluationTracker(output_path=str(out / FOLDER))
    tracker.general_config_tracker.log_experiment_args("hf", arguments, None, None, False)
    samples = results["samples"]
    # What the manifest says better: where it ran, and on what.
    left = {"samples", "pretty_env_info", "git_hash"}
    kept = {name: value for name, value in results.items() if name not in left}
    kept["config"] = {**kept["config"], "model": "hf", "model_args": arguments, "batch_size": batch_size}
    kept["configs"] = {name: _without_places(config) for name, config in kept["configs"].items()}
    tracker.save_results_aggregated(kept, samples)
    for task, of_task in samples.items():
        tracker.save_results_samples(task, of_task)
    # The tracker says nothing of what it could not write.
    if not all(any((out / FOLDER).rglob(pattern)) for pattern in ("results_*.json", "samples_*.jsonl")):
        raise OSError(f"lm-eval could not write its results into {out / FOLDER}")


def _without_places(config: dict[str, Any]) -> dict[str, Any]:
    """A task's settings, of paths the last part alone."""
    given = {name: value for name, value in (config.get("dataset_kwargs") or {}).items() if name != "cache_dir"}
    if "data_files" in given:
        given["data_files"] = _last(given["data_files"])
    metadata = config.get("metadata") or {}
    source = {"config_source": _last(metadata["config_source"])} if "config_source" in metadata else {}
    return {**config, "dataset_kwargs": given, "metadata": {**metadata, **source}}


def _last(paths: Any) -> Any:
    if isinstance(paths, dict):
        return {name: _last(path) for name, path in paths.items()}
    return [_last(path) for path in paths] if isinstance(paths, list) else Path(paths).name
