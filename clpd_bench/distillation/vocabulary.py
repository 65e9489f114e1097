"""Whether two models speak of the same tokens."""

from __future__ import annotations

from transformers import PreTrainedTokenizerFast

from clpd_bench.errors import UserError


def require_same_vocabulary(mine: PreTrainedTokenizerFast, other: PreTrainedTokenizerFast, who: str) -> None:
    """Compares token-to-id maps.

    Raises:
        UserError: the maps differ, and so token-level losses between the two would compare unlike things.
    """
    ours, theirs = mine.get_vocab(), other.get_vocab()
    if ours != theirs:
        token = min((t for t in {*ours, *theirs} if ours.get(t) != theirs.get(t)), default="")
        raise UserError(
            f"{who} has another tokenizer than the corpus: {len(theirs)} tokens against {len(ours)}, and {token!r} is "
            f"number {theirs.get(token)} in one and {ours.get(token)} in the other",
            key="tokenizer",
            fix="Give their corpora one tokenizer (`tokenizer: same_as:<corpus>`)",
        )
