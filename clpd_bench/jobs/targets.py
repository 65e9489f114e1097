"""targets: a teacher's logits on the training split of a corpus."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.models import forward_flops, load_model
from clpd_bench.distillation.shards import Shards
from clpd_bench.distillation.targets import write_targets
from clpd_bench.distillation.vocabulary import require_same_vocabulary
from clpd_bench.jobs.context import Context, Measured
from clpd_bench.settings.specs import TargetsSpec


def run(spec: TargetsSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    require_same_vocabulary(tokenizer, AutoTokenizer.from_pretrained(str(inputs["model"])), "the teacher")
    model = load_model(inputs["model"]).to(device()).eval()
    split = read_split(inputs["corpus"], "train")
    shards = Shards(context.checkpoints, context.earlier, context.should_stop, context.checkpointed)
    pad_id = tokenizer.pad_token_id
    write_targets(model, split, spec.targets, spec.batch_tokens, pad_id, out, context.progress, shards.keep)
    tokens = int(split.tokens.sum())
    return Measured(tokens, forward_flops(model, tokens, int(split.responses.lengths.sum())))
