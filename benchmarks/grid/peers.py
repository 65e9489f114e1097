"""A grid of distillation runs as a careful user of transformers, TRL and lm-eval scripts it; nothing of clpd_bench.

`python peers.py GIVEN.json RESULTS.json`. One process does it all: teachers are trained and stay loaded, a student's
step asks the one whose turn it is, models are evaluated as they lie in memory, and lm-eval's task is built once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from clock import Clock
from datasets import Dataset
from evaluating import Evaluations
from rows import Rows
from torch.optim.lr_scheduler import LambdaLR
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
from transformers.utils.logging import set_verbosity_error
from trl.experimental.gkd import GKDConfig, GKDTrainer

PARTS = 2
"""Slices of a step, of rows of like length: a step's rows are padded to the longest of their slice alone."""


class Shown:
    """Of a Trainer whose batches name their rows and teacher: keeps what a step shows, and asks that teacher.

    Attributes:
        shown: [(ids, teacher's name)] of each slice; None for nobody.
        teachers: by name.
    """

    shown: list[tuple[list[str], str | None]]
    teachers: dict[str, LlamaForCausalLM]

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        teacher = inputs.pop("teacher")
        self.shown.append((inputs.pop("ids"), teacher))
        if teacher:
            self.teacher_model = self.teachers[teacher]
        return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]


class ByTeacher(Shown, GKDTrainer):  # type: ignore[misc]
    pass


class ByText(Shown, Trainer):  # type: ignore[misc]
    pass


def arguments_of(training: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What is switched off costs time, and nobody reads it here."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": 1,  # an item is a slice
        "gradient_accumulation_steps": PARTS,
        "num_train_epochs": 1,  # all epochs are in the slices
        "train_sampling_strategy": "sequential",
        "max_grad_norm": training["clip"],
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "save_strategy": "no",
        "logging_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
    }


def train(
    model: LlamaForCausalLM, training: dict[str, Any], rows: Rows, teachers: dict[str, LlamaForCausalLM], folder: Path
) -> list[list[Any]]:
    """Trains in place.

    Returns:
        Of each step the ids that it showed, in ascending order, and the teacher that it asked.
    """
    slices = [
        {"rows": part, "teacher": batch["teacher"]}
        for batch in training["batches"]
        for part in rows.by_length(batch["rows"], PARTS)
    ]
    settings = arguments_of(training, folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=tuple(training["betas"]), weight_decay=0.0)
    rates = [*training["rates"], 0.0]
    shared = {
        "model": model,
        "data_collator": rows.collate,
        "train_dataset": Dataset.from_list(slices),
        "processing_class": rows.tokenizer,
        "optimizers": (optimizer, LambdaLR(optimizer, rates.__getitem__)),
    }
    if first := slices[0]["teacher"]:
        trainer = ByTeacher(
            args=GKDConfig(lmbda=0.0, beta=0.0, temperature=1.0, **settings), teacher_model=teachers[first], **shared
        )
    else:
        trainer = ByText(args=TrainingArguments(**settings), **shared)
    trainer.shown, trainer.teachers = [], teachers
    trainer.train()
    return [
        [sorted(i for ids, _ in trainer.shown[at : at + PARTS] for i in ids), trainer.shown[at][1]]
        for at in range(0, len(trainer.shown), PARTS)
    ]


def fresh(one: dict[str, Any]) -> LlamaForCausalLM:
    torch.manual_seed(one["seed"])
    model: LlamaForCausalLM = AutoModelForCausalLM.from_config(LlamaConfig.from_pretrained(one["config"]))
    return model


def main() -> None:
    set_verbosity_error()
    torch.set_num_threads(1)
    clock = Clock()
    clock.over("start-up")
    given = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2]).parent
    tokenizer = AutoTokenizer.from_pretrained(str(Path(given["corpus"]) / "tokenizer"))
    splits = {name: Rows.read(Path(given["corpus"]), name, tokenizer) for name in ("train", "validation", "test")}
    evaluations = Evaluations(given, splits, clock)
    clock.over("data")
    models, shown = {}, {}
    for one in given["teachers"]:
        models[one["name"]] = fresh(one)
        shown[one["name"]] = train(models[one["name"]], one, splits["train"], {}, folder)
        models[one["name"]].eval().requires_grad_(requires_grad=False)
    clock.over("teachers: training")
    starts = {one["name"]: one for one in given["starts"]}
    for one in given["students"]:
        model = fresh(starts[one["start"]])
        with clock.aside(models.values(), "students: live teachers", rest="students: the rest"):
            shown[one["name"]] = train(model, one, splits["train"], models, folder)
        clock.over("students: the rest")
        evaluations.of(one["name"], model)
    for name, one in starts.items():
        evaluations.of(name, fresh(one))
    for name, model in models.items():
        evaluations.of(name, model)
    results = {"parts": clock.parts, "shown": shown, **evaluations.results}
    Path(sys.argv[2]).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
