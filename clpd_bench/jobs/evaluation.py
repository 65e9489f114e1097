"""evaluation: a model on the test split of a corpus, item by item."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.models import forward_flops, load_model
from clpd_bench.distillation.scoring import score
from clpd_bench.distillation.shards import Shards
from clpd_bench.distillation.vocabulary import require_same_vocabulary
from clpd_bench.errors import UserError
from clpd_bench.evaluation.harness import run_harness
from clpd_bench.evaluation.items import exact_match_rows, response_loss_rows, write_items
from clpd_bench.evaluation.task import write_task
from clpd_bench.jobs.context import Context, Measured
from clpd_bench.settings.specs import EvaluationSpec

LOSS_BATCH_TOKENS = 8192


def run(spec: EvaluationSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    split = read_split(inputs["corpus"], "test")
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["model"]))
    corpus_tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    require_same_vocabulary(corpus_tokenizer, tokenizer, "the evaluated model")
    model = load_model(inputs["model"], getattr(torch, spec.dtype)).to(device()).eval()
    longest = int(split.prompts.lengths.max()) + spec.benchmark.max_new_tokens
    if longest > model.config.max_position_embeddings:
        raise UserError(
            f"the longest prompt and {spec.benchmark.max_new_tokens} new tokens make {longest}, and the model's limit "
            f"is {model.config.max_position_embeddings}; lm-eval would cut the prompt",
            key="max_new_tokens",
            fix="Lower the benchmark's max_new_tokens, or raise max_position_embeddings of the models",
        )
    task = write_task(split, spec.benchmark, tokenizer.eos_token, out)
    shards = Shards(context.checkpoints, context.earlier, context.should_stop, context.checkpointed)
    # Each item goes through the model twice, and counts each time.
    items = len(split.ids)

    def generated(done: int, of: int) -> None:
        context.progress(done, 2 * items)

    def scored(done: int, of: int) -> None:
        context.progress(items + done, 2 * items)

    samples = run_harness(model, tokenizer, task, spec.batch_size, shards.keep, generated)
    scores = score(model, split, LOSS_BATCH_TOKENS, tokenizer.pad_token_id, shards.keep, scored)
    difficulty = dict(zip(split.ids.tolist(), read_difficulty(inputs["difficulty"], "test").tolist(), strict=True))
    rows = [*exact_match_rows(samples), *response_loss_rows(split, scores.response_loss)]
    write_items(rows, difficulty, out / "items.parquet")
    tokens = int(split.tokens.sum())
    return Measured(tokens, forward_flops(model, tokens, int(split.responses.lengths.sum())))
