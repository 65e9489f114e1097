"""The same step by Hugging Face's Trainer and by TRL's GKDTrainer, as they come out of the box."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workload import PAD, Workload, model

Run = Callable[[Callable[[], None]], None]
"""Trains; calls its argument before each step and after the last."""


def gkd(workload: Workload, steps: int, folder: Path, **settings: Any) -> Run:
    """GKDTrainer on given responses (lmbda 0) with beta 0, which is KL(teacher || student).

    Args:
        settings: of its configuration (`bf16`, `gradient_checkpointing`, `use_cpu`).
    """
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from trl.experimental.gkd import GKDConfig, GKDTrainer

    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(workload.vocabulary)}, unk_token="t0"))
    student, teacher, device = _models(workload, settings)
    trainer = GKDTrainer(
        model=student,
        teacher_model=teacher,
        args=GKDConfig(lmbda=0.0, beta=0.0, temperature=1.0, **_arguments(workload, steps, folder, settings)),
        data_collator=_collate,
        train_dataset=Dataset.from_list(_examples(workload)),
        processing_class=PreTrainedTokenizerFast(tokenizer_object=words, pad_token="t2", eos_token="t2"),
    )
    return _run(trainer, device)


def trainer(workload: Workload, steps: int, folder: Path, **settings: Any) -> Run:
    """A Trainer whose loss is KL(teacher || student) over response tokens, as tutorials write it."""
    import torch
    import torch.nn.functional as F
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments

    student, teacher, device = _models(workload, settings)
    teacher.eval()

    class Distil(Trainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            labels = inputs.pop("labels")
            out = model(**inputs)
            with torch.no_grad():
                taught = teacher(**inputs).logits
            mask = labels[:, 1:] != -100
            q = F.log_softmax(out.logits[:, :-1][mask], -1)
            p = F.log_softmax(taught[:, :-1][mask], -1)
            loss = F.kl_div(q, p, reduction="batchmean", log_target=True)
            return (loss, out) if return_outputs else loss

    made = Distil(
        student,
        TrainingArguments(remove_unused_columns=False, **_arguments(workload, steps, folder, settings)),
        data_collator=_collate,
        train_dataset=Dataset.from_list(_examples(workload)),
    )
    return _run(made, device)


def _models(workload: Workload, settings: dict[str, Any]) -> tuple[Any, Any, str]:
    """Masters are float32 where the step is bfloat16 (autocast), and the teacher is bfloat16, as people load it."""
    device = "cpu" if settings.get("use_cpu") else "cuda"
    student = model(workload.student, workload.vocabulary, device=device)
    taught_in = "bfloat16" if settings.get("bf16") else "float32"
    return student, model(workload.teacher, workload.vocabulary, taught_in, device), device


def _examples(workload: Workload) -> list[dict[str, Any]]:
    return [
        {"input_ids": p + r, "attention_mask": [1] * len(p + r), "labels": [-100] * len(p) + r}
        for p, r in workload.batch()
    ]


def _collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
    import torch

    width = max(len(e["input_ids"]) for e in examples)
    filler = {"input_ids": PAD, "attention_mask": 0, "labels": -100}
    return {
        name: torch.tensor([e[name] + [value] * (width - len(e[name])) for e in examples])
        for name, value in filler.items()
    }


def _arguments(workload: Workload, steps: int, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": workload.rows,
        "max_steps": steps,
        "learning_rate": 1e-4,
        "lr_scheduler_type": "constant",
        "adam_beta2": 0.95,
        "max_grad_norm": 1.0,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "bf16": False,
        "gradient_checkpointing": False,
        **settings,
    }


def _run(trainer: Any, device: str) -> Run:
    import torch
    from transformers import TrainerCallback

    def run(tick: Callable[[], None]) -> None:
        class Clock(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
                if device == "cuda":
                    torch.cuda.synchronize()
                tick()

            def on_train_end(self, *args: Any, **kwargs: Any) -> None:
                self.on_step_begin()

        trainer.add_callback(Clock())
        trainer.train()

    return run
