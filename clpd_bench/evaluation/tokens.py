"""That lm-eval gives a model the tokens of the corpus, and stops where the corpus's responses end."""

from __future__ import annotations

from typing import NamedTuple

from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.reader import Split
from clpd_bench.corpus.sameness import alike
from clpd_bench.errors import UserError


class StopString(NamedTuple):
    """Attributes:
    text: the token that ends the corpus's responses.
    ids: that token, and the tokenizer's own end of text where it is another one.
    """

    text: str
    ids: tuple[int, ...]


def stop_of(split: Split, tokenizer: PreTrainedTokenizerFast) -> StopString:
    """Under a chat template responses end with the end of a turn, which may not be the tokenizer's `eos_token`."""
    end = int(split.responses[0][-1])
    ids = [end] if tokenizer.eos_token_id in (None, end) else [end, tokenizer.eos_token_id]
    return StopString(str(tokenizer.decode([end])), tuple(ids))


def special_tokens(split: Split, tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether the corpus's prompts are what the tokenizer makes of their texts with its special tokens around them,
    or without (as where the text holds a chat template's own).

    Raises:
        UserError: neither gives the tokens that the models were trained on.
    """
    texts, wanted = split.texts("prompt"), [split.prompts[i].tolist() for i in range(len(split.ids))]
    for added in (False, True):
        if tokenizer(texts, add_special_tokens=added)["input_ids"] == wanted:
            return added
    plain = tokenizer(texts, add_special_tokens=False)["input_ids"]
    first = next(i for i, ids in enumerate(plain) if ids != wanted[i])
    raise UserError(
        f"the evaluated model's tokenizer makes other tokens of the prompt {texts[first][:60]!r} than the corpus has: "
        f"{_around(plain[first], wanted[first])}",
        key="tokenizer",
        fix="Give the model and the corpus one tokenizer; its files must be those that the corpus was made with",
    )


def require_trained_choices(split: Split, scored: list[list[str]], tokenizer: PreTrainedTokenizerFast) -> None:
    """That a right choice, as it is scored, has the tokens that models learn to respond.

    Args:
        scored: the texts of each item's choices, end token and all.

    Raises:
        UserError: one has not.
    """
    right = [texts[label] for texts, label in zip(scored, split.table["label"].to_pylist(), strict=True)]
    for i, ids in enumerate(tokenizer(right, add_special_tokens=False)["input_ids"]):
        wanted = split.responses[i].tolist()
        if ids != wanted:
            raise UserError(
                f"the tokenizer makes other tokens of the scored choice {right[i][:60]!r} than of the response that "
                f"models learn: {_around(ids, wanted)}",
                key="kind",
                found="choice",
                fix="Score what models write: leave `kind` out, and give max_new_tokens",
            )


def _around(ours: list[int], corpus: list[int]) -> str:
    """The first few tokens from where two lists part."""
    place = alike(ours, corpus)
    return f"at place {place} {ours[place : place + 3]} against {corpus[place : place + 3]}"
