"""FLOPs of a training run, for its manifest, by the definition that plans go by (`flops.passes`).

Apart from the others, since it reads schedules: whoever edits the curriculum changes no key of an evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.distillation.models import length_boundaries
from clpd_bench.distillation.spent_flops import read_of, size_of
from clpd_bench.distillation.train import Record
from clpd_bench.flops.passes import forward, total
from clpd_bench.flops.passes import training as training_terms
from clpd_bench.flops.tokens import read_by_teachers, read_in_batches
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.training import Training


def training_flops(
    model: PreTrainedModel,
    live: Sequence[PreTrainedModel],
    split: Split,
    validation: Split,
    schedule: Schedule,
    training: Training,
    record: Record,
    vocabulary: int,
) -> int:
    """Of the steps of a run, from its first on, whatever interrupted it; of its validations, and of its live teachers.

    Args:
        live: the teachers that ran beside it, from the weakest.
    """
    size, steps = size_of(model), len(record.loss)
    batches = [(examples, teachers) for step, examples, teachers in schedule.batches() if step <= steps]
    lengths, responses = split.tokens, split.responses.lengths
    boundaries = {length for reader in (model, *live) for length in length_boundaries(reader)}
    padded = 1 if record.dropout else training.micro_batch_tokens
    read, _ = read_in_batches(lengths, responses, (examples for examples, _ in batches), padded, boundaries)
    tied = isinstance(size, Dimensions) and size.tie_word_embeddings
    terms = training_terms(
        size, vocabulary, read, "", training.activation_checkpointing, training.freeze_embeddings and tied
    )
    validations = read_of(model, validation, training.micro_batch_tokens) * len(record.validation)
    terms += forward(size, vocabulary, validations, "")
    if live:
        for m, taught in read_by_teachers(lengths, responses, batches, padded, boundaries).items():
            terms += forward(size_of(live[m - 1]), vocabulary, taught, "")
    return int(total(terms))
