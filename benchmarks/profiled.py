"""Where a step spends its time, by torch's profiler: its operations, grouped by what they work on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile
from workload import Workload

LARGEST = 5
"""Operations of a group that are named."""


def by_group(run: Callable[[Callable[[], None]], None], workload: Workload) -> str:
    """A table of the second of two steps: seconds of the operations' own, wall time.

    Args:
        run: trains for two steps; calls its argument after each.
    """
    recording = profile(activities=[ProfilerActivity.CPU], record_shapes=True)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done == 1:
            recording.__enter__()
        elif done == 2:
            recording.__exit__(None, None, None)

    run(tick)
    groups: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for event in recording.key_averages(group_by_input_shape=True):
        operation = event.key.removeprefix("aten::")
        groups[_group(operation, event.input_shapes, workload)][operation] += event.self_cpu_time_total / 1e6
    lines = ["| what | seconds | most of it |", "|---|---|---|"]
    for name, seconds in sorted(groups.items(), key=lambda group: -sum(group[1].values())):
        most = sorted(seconds.items(), key=lambda one: -one[1])[:LARGEST]
        lines.append(
            f"| {name} | {sum(seconds.values()):.2f} | {', '.join(f'{operation} {s:.2f}' for operation, s in most)} |"
        )
    return "\n".join(lines)


def _group(operation: str, shapes: list[Any], workload: Workload) -> str:
    if operation in ("mm", "bmm", "addmm", "addmm_"):
        return "matrix products"
    if "scaled_dot_product" in operation:
        return "attention"
    embedding = [workload.vocabulary, workload.student.hidden]
    if embedding in shapes:
        return "weights of the head and the embeddings"
    if any(isinstance(shape, list) and shape and shape[-1] == workload.vocabulary for shape in shapes):
        return "logits"
    if any(isinstance(shape, list) and len(shape) > 2 for shape in shapes):
        return "layers, beside their products"
    return "other weights, and the rest"
