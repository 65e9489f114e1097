"""lm-eval 0.4.13, in this process."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.distillation.shards import Keep
from clpd_bench.evaluation.task import TASK

LOGGERS = ("lm_eval", "lm-eval", "datasets")


def run_harness(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    task: dict[str, Any],
    batch_size: int,
    keep: Keep,
    progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """lm-eval's own samples of one task, one a document and filter.

    Caches stay off: `use_cache` does not know which model it holds, `cache_requests` not which samples.
    lm-eval reseeds the global generators and leaves the model in evaluation mode.

    Args:
        keep: where each batch's responses are kept.
        progress: told (requests done, of) after each batch.
    """
    from lm_eval.evaluator import simple_evaluate  # costs seconds to import: only for who evaluates
    from lm_eval.tasks import TaskManager

    from clpd_bench.evaluation.generation import KeptHFLM

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as cache:
        inline = {**task, "dataset_kwargs": {**task["dataset_kwargs"], "cache_dir": str(Path(cache))}}
        language_model = KeptHFLM(
            keep,
            progress,
            pretrained=model,
            tokenizer=tokenizer,
            batch_size=batch_size,
            max_length=model.config.max_position_embeddings,
            device=str(next(model.parameters()).device),
        )
        with torch.inference_mode():
            results = simple_evaluate(
                model=language_model,
                tasks=[inline],
                task_manager=TaskManager(include_defaults=False),
                bootstrap_iters=0,
                log_samples=True,
                verbosity="ERROR",
            )
    assert results is not None
    samples: list[dict[str, Any]] = results["samples"][TASK]
    return samples
