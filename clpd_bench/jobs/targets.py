"""targets: a teacher's logits on the training split of a corpus."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.shards import Shards
from clpd_bench.distillation.spent_flops import scoring_flops
from clpd_bench.distillation.targets import write_targets
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.jobs.body import Measured
from clpd_bench.jobs.reader import load_reader
from clpd_bench.settings.specs import TargetsSpec


def run(spec: TargetsSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    split = read_split(inputs["corpus"], "train")
    model = load_reader(inputs["model"], tokenizer, int(split.tokens.max()), "the teacher")
    shards = Shards(context)
    vocabulary = Vocabulary.of(tokenizer)
    write_targets(model, split, spec.targets, spec.batch_tokens, vocabulary, out, context.progress, shards.keep)
    return Measured(int(split.tokens.sum()), scoring_flops(model, [split], spec.batch_tokens, vocabulary.size))
