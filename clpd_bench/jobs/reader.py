"""A model that is to read a corpus: loaded, and refused where it could not."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.distillation.devices import device
from clpd_bench.distillation.model_checks import require_causal_rows, require_known_head
from clpd_bench.distillation.models import load_model, require_positions
from clpd_bench.distillation.vocabulary import Vocabulary, require_rows, require_same_vocabulary


def load_reader(
    folder: Path,
    tokenizer: PreTrainedTokenizerFast,
    longest: int,
    who: str,
    dtype: torch.dtype | Literal["auto"] = "auto",
) -> PreTrainedModel:
    """A model on the device, in evaluation mode.

    Args:
        tokenizer: the corpus's.
        longest: tokens of the longest sequence that it will read.
        who: what errors call it.

    Raises:
        UserError: it has another tokenizer, too few rows or positions, or logits that are not its head's;
            or it is not causal, or its rows are not read as if alone.
    """
    require_same_vocabulary(tokenizer, AutoTokenizer.from_pretrained(str(folder)), who)
    model = load_model(folder, dtype).to(device()).eval()
    require_rows(model, Vocabulary.of(tokenizer).size, who)
    require_positions(model, longest, who)
    require_known_head(model, who)
    require_causal_rows(model, who, longest)
    return model
