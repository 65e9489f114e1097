"""lm-eval 0.4.13, in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.distillation.models import greedy_settings, position_limit
from clpd_bench.distillation.shards import Keep

LOGGERS = ("lm_eval", "lm-eval", "datasets")
BOOTSTRAPS = 1000
"""Of the standard errors, over items alone, in lm-eval's own results; that of a mean needs none."""


def quiet() -> None:
    """Of lm-eval and datasets, errors alone."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)


def run_harness(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    task: Any,
    batch_size: int,
    special_tokens: bool | None,
    keep: Keep,
    progress: Callable[[int, int], None],
    documents: list[int] | None = None,
) -> tuple[dict[str, Any], dict[int, bool]]:
    """lm-eval's own results of one task, its samples among them, one a document and filter; and of each document
    for which something was generated, by its number, whether the output ended by length.

    Generation goes by the task's settings and beyond them by `greedy_settings`, which replace the model's own.
    Caches stay off: `use_cache` does not know which model it holds, `cache_requests` not which samples.
    lm-eval reseeds the global generators and leaves the model in evaluation mode.

    Args:
        task: one of lm-eval's that has been loaded.
        special_tokens: of a task of ours, whether the tokenizer puts its special tokens around a prompt
            (`add_bos_token`); None of lm-eval's, for as the tokenizer likes it.
        keep: where each batch's responses are kept.
        progress: told (requests done, of) after each batch.
        documents: places of those that are evaluated; None for all.
    """
    from lm_eval.evaluator import simple_evaluate  # costs seconds to import: only for who evaluates
    from lm_eval.tasks import TaskManager

    from clpd_bench.evaluation.generation import KeptHFLM

    quiet()
    model.generation_config = greedy_settings(tokenizer)
    language_model = KeptHFLM(
        keep,
        progress,
        apart=special_tokens is not None,
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=batch_size,
        max_length=position_limit(model),
        add_bos_token=special_tokens,
        device=str(next(model.parameters()).device),
    )
    with torch.inference_mode():
        results = simple_evaluate(
            model=language_model,
            tasks=[task],
            task_manager=TaskManager(include_defaults=False),
            batch_size=batch_size,
            samples=None if documents is None else {task.task_name: documents},
            bootstrap_iters=BOOTSTRAPS,
            log_samples=True,
            verbosity="ERROR",
        )
    assert results is not None
    # Requests are numbered among the chosen documents, samples among all.
    numbers = documents or range(len(language_model.truncated))
    return dict(results), {numbers[i]: cut for i, cut in language_model.truncated.items()}
