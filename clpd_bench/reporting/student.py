"""What a student is called in a table that has several."""

from __future__ import annotations

from clpd_bench.settings.ablation import Ablation
from clpd_bench.settings.model import Initial, Trained
from clpd_bench.settings.pretrained import Gguf, Hub, Local


def student_name(ablation: Ablation) -> str:
    """By what it started from: `Qwen2.5-0.5B` of the hub's Qwen/Qwen2.5-0.5B, a folder's or a file's own name,
    `llama 2 x 32` (layers x width) of fresh weights. A student that starts from a model of the file which was
    trained or cut has that model's name behind it: `Qwen2.5-0.5B (start)`."""
    initial: Initial = ablation.student.initial
    changed = []
    while isinstance(initial, Trained):
        model = ablation.models[initial.model]
        if model.training is not None or model.keep_layers is not None:
            changed.append(initial.model)
        initial = model.initial
    name = _source(initial)
    return f"{name} ({changed[0]})" if changed else name


def _source(initial: Initial) -> str:
    if isinstance(initial, Hub):
        return initial.model.rsplit("/", 1)[-1]
    if isinstance(initial, Local):
        return initial.folder.name
    if isinstance(initial, Gguf):
        return initial.files[0].stem
    assert not isinstance(initial, Trained)
    return f"{initial.name} {initial.num_hidden_layers} x {initial.hidden_size}"
