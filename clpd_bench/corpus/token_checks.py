"""Text that a tokenizer takes for something else, or cannot write."""

from __future__ import annotations

import unicodedata

from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.example import Example
from clpd_bench.corpus.sameness import alike
from clpd_bench.errors import UserError


def special_tokens(tokenizer: PreTrainedTokenizerFast) -> dict[int, str]:
    """Tokens by their ids that a text may not spell: the end token would end the response there, for the loss and in
    evaluation, and one of a chat template would begin another turn."""
    special = {i: token.content for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return special | {tokenizer.eos_token_id: tokenizer.eos_token, tokenizer.pad_token_id: tokenizer.pad_token}


def refuse_special(example: Example, ids: list[int], text: str, special: dict[int, str]) -> None:
    """
    Args:
        ids: tokens of `text`: question and response, less the end token. What a prompt puts around them may hold
            special tokens.
        special: by id.

    Raises:
        UserError: the text spells one of them.
    """
    for i in ids:
        # The unknown token also comes of text that does not spell it.
        if i in special and special[i] in text:
            raise UserError(
                f"the text of {example.question[:50]!r} holds {special[i]!r}, which is a token of the tokenizer's own",
                file=example.file,
                line=example.line,
                fix="Take it out of the text",
            )


def refuse_changed(example: Example, ids: list[int], response: str, tokenizer: PreTrainedTokenizerFast) -> None:
    """A model that learns these tokens writes what they are decoded to: lower case, where the tokenizer has no other.

    Args:
        ids: tokens of `response`, less the end token.

    Raises:
        UserError: that is another text, white space and forms of one character (NFKC) aside.
    """
    written = str(tokenizer.decode(ids, skip_special_tokens=True))
    one, other = (_characters(text) for text in (written, response))
    if one != other:
        place = alike(one, other)
        raise UserError(
            f"the tokenizer writes {one[place : place + 30]!r} for {other[place : place + 30]!r} in the response to "
            f"{example.question[:50]!r}, so no model could answer as the corpus does",
            file=example.file,
            line=example.line,
            key="tokenizer",
            fix="Take a tokenizer that gives texts back as they are, or bring the texts into its form (lower case)",
        )


def _characters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def refuse_unknown(example: Example, ids: list[int], texts: list[str], tokenizer: PreTrainedTokenizerFast) -> None:
    """What a borrowed tokenizer cannot write, a model would neither read nor learn.

    Tokenizers of bytes, or that fall back on bytes, can write everything, although many have an unknown token.

    Args:
        ids: tokens of `texts`, prompt and response, less the end token.

    Raises:
        UserError: one of them is the unknown token, and no text spells it there.
    """
    if tokenizer.unk_token_id is None or tokenizer.unk_token_id not in ids:
        return
    spelled: set[str] = set()
    for text in texts:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        pieces = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        spelled |= {text[start:end] for i, (start, end) in pieces if i == tokenizer.unk_token_id}
    unknown = sorted(spelled - {tokenizer.unk_token})
    if not unknown:
        return
    raise UserError(
        f"the tokenizer has no token for {' '.join(map(repr, unknown))} in {example.question[:50]!r}",
        file=example.file,
        line=example.line,
        key="tokenizer",
        fix="Let the corpus make its own tokenizer, or borrow one that was made on text like it",
    )
