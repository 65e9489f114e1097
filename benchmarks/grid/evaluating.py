"""A model that lies in memory, evaluated: lm-eval's greedy generation, and the loss of the examples' own responses."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from clock import Clock
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager, get_task_dict
from rows import Rows
from transformers import GenerationConfig, PreTrainedModel

SCORED = 8
"""Rows of a batch whose responses are scored."""
REST = "evaluation: the rest of lm-eval"


class Evaluations:
    """Attributes:
    results: `response_loss` of each model by split, `exact_match`, and the generated `outputs`.
    """

    def __init__(self, given: dict[str, Any], splits: dict[str, Rows], clock: Clock) -> None:
        self._given, self._splits, self._clock = given, splits, clock
        folder = Path(given["task"])
        manager = TaskManager(include_path=str(folder), include_defaults=False)
        with contextlib.chdir(folder):  # the task names its documents by a relative path
            self._task = get_task_dict(["clpd_test"], manager)["clpd_test"]
        self._manager = manager
        self.results: dict[str, Any] = {"response_loss": {}, "exact_match": {}, "outputs": {}}

    def of(self, name: str, model: PreTrainedModel) -> None:
        """All evaluations of a model."""
        model.eval()
        for one in (one for one in self._given["evaluations"] if one["model"] == name):
            if one["generates"]:
                self._generate(name, model)
            losses = response_losses(model, self._splits[one["split"]].only(one["items"]))
            self.results["response_loss"].setdefault(name, {})[one["split"]] = losses
            self._clock.over("evaluation: response loss")

    def _generate(self, name: str, model: PreTrainedModel) -> None:
        tokenizer = self._splits["test"].tokenizer
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
        )
        language_model = HFLM(
            pretrained=model,
            tokenizer=tokenizer,
            batch_size=self._given["batch_size"],
            max_length=model.config.max_position_embeddings,
            add_bos_token=False,
            device="cpu",
        )
        language_model.generate_until = self._clock.timed("evaluation: generation", REST, language_model.generate_until)
        results = simple_evaluate(
            model=language_model,
            tasks=[self._task],
            task_manager=self._manager,
            batch_size=self._given["batch_size"],
            verbosity="ERROR",
        )
        samples = results["samples"]["clpd_test"]
        self.results["outputs"][name] = {sample["doc"]["id"]: sample["resps"][0][0] for sample in samples}
        self.results["exact_match"][name] = results["results"]["clpd_test"]
        self._clock.over(REST)


@torch.inference_mode()
def response_losses(model: PreTrainedModel, rows: Rows) -> dict[str, float]:
    """By example, the mean nats a response token."""
    losses = {}
    for places in rows.by_length(list(range(len(rows.rows))), -(-len(rows.rows) // SCORED)):
        batch = rows.padded(places)
        labels = batch.pop("labels")[:, 1:]
        logits = model(**batch, use_cache=False).logits[:, :-1]
        nats = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none", ignore_index=-100)
        means = nats.sum(1) / (labels != -100).sum(1)
        losses.update({rows.rows[place][0]: float(mean) for place, mean in zip(places, means, strict=True)})
    return losses
