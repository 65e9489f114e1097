"""Losses between token distributions want one token-to-id map; anything else names the token that differs."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.tokenizers import bpe_tokenizer, character_tokenizer
from clpd_bench.distillation.vocabulary import require_same_vocabulary
from clpd_bench.errors import UserError


def test_equal_maps_pass_whatever_made_them() -> None:
    require_same_vocabulary(character_tokenizer("abc"), character_tokenizer("cba"), "the teacher")


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [
        ("abc", "abcd", "7 tokens against 6, and 'd' is number 6 in one and None in the other"),
        ("abcd", "abc", "6 tokens against 7, and 'd' is number None in one and 6 in the other"),
        ("abd", "acd", "6 tokens against 6, and 'b' is number None in one and 4 in the other"),
    ],
)
def test_another_vocabulary_is_an_error_that_names_a_token(mine: str, other: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        require_same_vocabulary(character_tokenizer(mine), character_tokenizer(other), "the teacher")
    assert "the teacher has another tokenizer than the corpus: " + told in str(caught.value)
    assert "same_as" in str(caught.value)


def test_same_tokens_under_other_numbers_are_an_error() -> None:
    """Equal sizes and equal sets: the case that a comparison of sizes lets through."""
    mine, other = bpe_tokenizer(["abab abab", "cdcd"], 260), bpe_tokenizer(["cdcd cdcd", "abab"], 260)
    assert mine.get_vocab().keys() == other.get_vocab().keys()
    assert mine.get_vocab() != other.get_vocab()
    with pytest.raises(UserError, match="has another tokenizer"):
        require_same_vocabulary(mine, other, "the teacher")


def test_tokens_added_later_are_compared_too() -> None:
    added: PreTrainedTokenizerFast = character_tokenizer("abc")
    added.add_tokens(["<step>"])
    with pytest.raises(UserError, match="'<step>' is number 6 in one and None"):
        require_same_vocabulary(character_tokenizer("abc"), added, "the initial model")
