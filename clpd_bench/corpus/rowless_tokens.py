"""Tokens that a tokenizer numbers beyond what its model has embeddings for."""

from __future__ import annotations

import json

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast


def without_rowless_tokens(tokenizer: PreTrainedTokenizerFast, rows: int) -> None:
    """Takes special tokens with ids from `rows` on out of the tokenizer.

    A text model may have its tokenizer from a family that reads images too (Gemma 3's `<image_soft_token>`):
    the model can neither read nor write such a token. Ordinary tokens stay, for the caller to find too many.
    """
    written = json.loads(tokenizer.backend_tokenizer.to_str())
    rowless = [token for token in written["added_tokens"] if token["id"] >= rows and token["special"]]
    names = {token["content"] for token in rowless}
    if not names:
        return
    written["added_tokens"] = [token for token in written["added_tokens"] if token not in rowless]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(written))
    # Their roles too, or loading the tokenizer once it is saved would give them numbers again.
    tokenizer._special_tokens_map = {
        role: None if str(token) in names else token for role, token in tokenizer._special_tokens_map.items()
    }
    tokenizer._extra_special_tokens = [t for t in tokenizer._extra_special_tokens if str(t) not in names]
    for kept in ("model_specific_special_tokens", "added_tokens_decoder"):
        entries = tokenizer.init_kwargs.get(kept) or {}
        tokenizer.init_kwargs[kept] = {k: token for k, token in entries.items() if str(token) not in names}
