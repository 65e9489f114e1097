"""Tokenizers lose no text and survive being saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus.tokenizers import END, PAD, bpe_tokenizer, character_tokenizer

ALPHABET = "0123456789+-=?;: \n\taé\u0301ß\U0001f600"
BPE = bpe_tokenizer(["Natalia sold 48 clips; 48/2 = 24 clips in May.\n#### 72"] * 5, 320)
CHARACTERS = character_tokenizer(ALPHABET)


def encode(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def no_special(text: str) -> bool:
    return not any(token in text for token in ("<pad>", "<end>", "<unk>"))


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(no_special))
def test_bpe_writes_and_reads_any_text(text: str) -> None:
    assert BPE.decode(encode(BPE, text)) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from(ALPHABET), max_size=40))
def test_character_tokenizer_is_one_token_a_character_and_back(text: str) -> None:
    ids = encode(CHARACTERS, text)
    assert len(ids) == len(text)
    assert CHARACTERS.decode(ids) == text


@pytest.mark.parametrize("text", ["1 . 2", "it 's n't , ?", "  two  spaces  ", "a\r\nb"])
def test_white_space_before_punctuation_is_kept(text: str) -> None:
    assert BPE.decode(encode(BPE, text)) == text


def test_numbers_are_split_into_digits() -> None:
    trained = bpe_tokenizer(["1234 1234 1234"] * 50, 300)
    assert len(encode(trained, "1234")) == 4


def test_an_unknown_character_is_one_unknown_token() -> None:
    assert encode(CHARACTERS, "1#2") == [
        CHARACTERS.convert_tokens_to_ids("1"),
        CHARACTERS.unk_token_id,
        CHARACTERS.convert_tokens_to_ids("2"),
    ]


@pytest.mark.parametrize("tokenizer", [BPE, CHARACTERS], ids=["bpe", "characters"])
def test_a_saved_tokenizer_is_loaded_as_the_same_fast_one(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.save_pretrained(str(tmp_path))
    loaded = AutoTokenizer.from_pretrained(str(tmp_path))
    assert loaded.is_fast
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert (loaded.pad_token, loaded.eos_token, loaded.padding_side) == (PAD, END, "left")
    for text in ("1+2=3;é\u0301 ß", "it 's\n 12 .", "\U0001f600\t?"):
        assert encode(loaded, text) == encode(tokenizer, text)
        assert loaded.decode(encode(loaded, text)) == tokenizer.decode(encode(tokenizer, text))
    assert loaded("12", add_special_tokens=True)["input_ids"] == encode(tokenizer, "12")  # adds none by itself


@pytest.mark.parametrize("tokenizer", [BPE, CHARACTERS], ids=["bpe", "characters"])
def test_pad_and_end_are_two_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


def test_bpe_has_the_size_asked_for_where_there_is_text_enough() -> None:
    assert len(BPE) <= 320
    assert len(bpe_tokenizer([" ".join(a + b + "c" for a in "xyzuvw" for b in "lmnopq")] * 3, 300)) == 300


def test_training_a_tokenizer_twice_gives_one_vocabulary() -> None:
    texts = [f"word{i} and another{i}" for i in range(100)]
    assert bpe_tokenizer(texts, 350).get_vocab() == bpe_tokenizer(texts, 350).get_vocab()
