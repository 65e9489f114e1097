"""Whether the right answers could be written at all in as many tokens as a benchmark allows."""

from __future__ import annotations

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError


def require_room_for_gold(split: Split, max_new_tokens: int) -> None:
    """
    Raises:
        UserError: a gold response, with its end token, has more tokens: a model that has learnt it would be cut.
    """
    lengths = split.responses.lengths
    longest = int(lengths.argmax())
    needed, more = int(lengths[longest]), int((lengths > max_new_tokens).sum())
    if more:
        raise UserError(
            f"{more} of {len(lengths)} gold responses have more tokens than the benchmark lets a model write: the "
            f"longest is that of {split.texts('question')[longest][:60]!r} (example {split.ids[longest]}), {needed} "
            "tokens with the end token",
            key="max_new_tokens",
            found=max_new_tokens,
            fix=f"Set it to {needed} or more, or leave longer items out: `gold: drop`",
        )
