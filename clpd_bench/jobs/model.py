"""model: an initial model, trained through a schedule. Teachers, pretrained starts and students alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.corpus.reader import Split, read_difficulty, read_split
from clpd_bench.curriculum.schedule import build_schedule
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.models import forward_flops, load_model, new_model, save_model
from clpd_bench.distillation.own_loss import OwnLoss
from clpd_bench.distillation.targets import Targets, read_targets
from clpd_bench.distillation.train import Diverged, Surroundings, train, validation_scores
from clpd_bench.distillation.vocabulary import require_same_vocabulary
from clpd_bench.jobs.context import Context, Measured
from clpd_bench.settings.loss import CrossEntropy
from clpd_bench.settings.plugin import LossPlugin
from clpd_bench.settings.specs import ModelSpec


def run(spec: ModelSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    model = _initial(spec, inputs, tokenizer).to(device())
    if spec.training is None or spec.supervision is None:
        save_model(model, tokenizer, out)
        return Measured(details={"parameters": model.num_parameters()})
    split = read_split(inputs["corpus"], "train")
    difficulty = read_difficulty(inputs["difficulty"], "train") if "difficulty" in inputs else None
    loss = spec.supervision.loss
    schedule = build_schedule(split.ids, split.tokens, difficulty, spec.supervision, spec.training, spec.seed)
    validation = read_split(inputs["corpus"], "validation")
    details: dict[str, Any] = {}
    try:
        record = train(
            model,
            split,
            validation,
            schedule,
            spec.training,
            OwnLoss(loss) if isinstance(loss, LossPlugin) else loss,
            _targets(spec, inputs, split),
            spec.seed,
            tokenizer.pad_token_id,
            Surroundings(
                context.checkpoints, context.earlier, context.should_stop, context.progress, context.checkpointed
            ),
        )
    except Diverged as diverged:
        if spec.on_divergence == "fail":
            raise
        # The weights before the step, not those of a checkpoint: when one is written is the clock's affair.
        record, details = diverged.record, {"diverged": str(diverged)}
        if record.validation[-1]["step"] != len(record.loss):
            last = validation_scores(model, validation, spec.training, len(record.loss), tokenizer.pad_token_id)
            record.validation.append(last)
    save_model(model, tokenizer, out)
    steps = len(record.loss)
    stages = schedule.stage[:steps].tolist()
    (out / "training.json").write_text(
        json.dumps({**vars(record), "stage": stages, "scheduled": schedule.consumed_hash(steps)})
    )
    return Measured(
        record.tokens,
        3 * forward_flops(model, record.tokens, record.response_tokens),
        {
            "parameters": model.num_parameters(),
            "steps": steps,
            "consumed": record.consumed,
            "validation": record.validation[-1],
            **details,
        },
    )


def _initial(spec: ModelSpec, inputs: dict[str, Path], tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    if spec.architecture is not None:
        return new_model(spec.architecture, tokenizer, spec.seed)
    require_same_vocabulary(tokenizer, AutoTokenizer.from_pretrained(str(inputs["initial"])), "the initial model")
    return load_model(inputs["initial"])


def _targets(spec: ModelSpec, inputs: dict[str, Path], split: Split) -> list[Targets]:
    loss = spec.supervision.loss if spec.supervision else None
    if loss is None or isinstance(loss, CrossEntropy):
        return []
    folders = [inputs[f"targets.{m}"] for m in range(1, len([r for r in inputs if r.startswith("targets.")]) + 1)]
    return [read_targets(folder, split, loss.temperature) for folder in folders]
