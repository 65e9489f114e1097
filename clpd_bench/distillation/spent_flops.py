"""FLOPs of what a job made, for its manifest, by the definition that plans go by (`flops.passes`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.curriculum.schedule import Schedule
from clpd_bench.distillation.models import length_boundaries
from clpd_bench.distillation.train import Record
from clpd_bench.flops.config import dimensions_of_config
from clpd_bench.flops.passes import Size, forward
from clpd_bench.flops.passes import training as training_terms
from clpd_bench.flops.terms import total
from clpd_bench.flops.tokens import Read, read_by_teachers, read_in_batches, read_whole
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.training import Training


def size_of(model: PreTrainedModel) -> Size:
    """Its dimensions; of an architecture that has none here, how many parameters it has."""
    return dimensions_of_config(model.config.to_dict(), "its configuration") or model.num_parameters()


def scoring_flops(model: PreTrainedModel, splits: Iterable[Split], batch_tokens: int, vocabulary: int) -> int:
    """Of a pass over each split, response by response: scores, or targets."""
    read = sum((read_of(model, split, batch_tokens) for split in splits), Read())
    return int(total(forward(size_of(model), vocabulary, read, "")))


def comparing_flops(model: PreTrainedModel, split: Split, examples: int) -> int:
    """Of a pass over the first examples, one by one and without the head."""
    return int(total(forward(size_of(model), 0, read_whole(split.tokens[:examples]), "")))


def harness_flops(model: PreTrainedModel, read: Read) -> int:
    """Of what lm-eval let the model read; its head has a logit for every row of the embedding."""
    return int(total(forward(size_of(model), model.config.get_text_config().vocab_size, read, "")))


def read_of(model: PreTrainedModel, split: Split, batch_tokens: int) -> Read:
    """Of the whole split as one batch."""
    everything = [np.arange(len(split.ids))]
    return read_in_batches(split.tokens, split.responses.lengths, everything, batch_tokens, length_boundaries(model))[0]


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
