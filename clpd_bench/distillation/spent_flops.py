"""FLOPs of what a job made, for its manifest, by the definition that plans go by (`flops.passes`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.models import length_boundaries
from clpd_bench.flops.parameters import dimensions_of_config
from clpd_bench.flops.passes import Size, forward, total
from clpd_bench.flops.tokens import Read, read_in_batches, read_whole


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
