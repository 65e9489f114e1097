"""The tokens that there are, and whether two models speak of the same ones."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.errors import UserError


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a corpus's tokenizer has.

    Attributes:
        size: the rows of a head that mean a token: the largest id + 1. Those beyond are padding.
        pad_id: the token that rows are filled up with. Which one changes nothing: attention is causal, and what stands
            behind a row's end reaches nothing before it.
    """

    size: int
    pad_id: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast) -> Vocabulary:
        """That of a tokenizer, with or without a padding token."""
        return cls(int(max(tokenizer.get_vocab().values())) + 1, tokenizer.pad_token_id or 0)


def require_rows(model: PreTrainedModel, vocabulary: int, who: str) -> None:
    """A head may have more rows than there are tokens, and not fewer.

    Raises:
        UserError: there are tokens without a row.
    """
    rows = int(model.get_output_embeddings().weight.shape[0])
    if rows < vocabulary:
        raise UserError(
            f"{who} has logits for {rows} tokens, and its tokenizer numbers them up to {vocabulary - 1}",
            key="tokenizer",
            fix="Take the tokenizer that the model was trained with",
        )


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
            fix="Token-level losses want one vocabulary: give their corpora one tokenizer (`tokenizer: "
            "same_as:<corpus>`, `of:<model>`), and take pretrained models that share theirs",
        )
