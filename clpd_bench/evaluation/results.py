"""lm-eval's own results and samples, in the files and the layout of its command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
