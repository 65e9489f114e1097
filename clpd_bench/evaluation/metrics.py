"""Which of a task's metrics become items."""

from __future__ import annotations

from numbers import Real
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.metrics import METRICS


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
        if higher != (METRICS[name] == "higher"):
            raise UserError(
                f"task {task.task_name!r} says that {'more' if higher else 'less'} {name} is better, and here it is "
                "the other way round",
                key="task",
            )
    return kept, [name for name in names if name not in kept]
