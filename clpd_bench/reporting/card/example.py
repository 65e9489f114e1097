"""What a model was shown: one example of its corpus."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from clpd_bench.corpus.reader import read_split
from clpd_bench.store import Store


class Shown(NamedTuple):
    """Attributes:
    prompt, response: texts; the end token stands behind the response.
    end: the token that ends a response.
    special_tokens: whether the tokenizer's own are put around a prompt.
    """

    prompt: str
    response: str
    end: str
    special_tokens: bool


def example_of(corpus: str, store: Store, model: Path) -> Shown | None:
    """The first training example, read with the model's own tokenizer; None where the corpus is not in the store.

    Args:
        corpus: its key.
        model: a folder with the tokenizer.
    """
    if not store.is_done(corpus):
        return None
    from transformers import AutoTokenizer  # a second to import

    split = read_split(store.artifact(corpus), "train")
    tokenizer = AutoTokenizer.from_pretrained(str(model))
    prompt, response = split.texts("prompt")[0], split.texts("response")[0]
    plain = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    end = tokenizer.decode([int(split.responses[0][-1])])
    return Shown(prompt, response, str(end), plain != split.prompts[0].tolist())
