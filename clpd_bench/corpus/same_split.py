"""Whether a tokenizer splits texts as the `tokenizer.json` that lies beside it says."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from clpd_bench.errors import UserError

TEXTS = (
    "one  two   three",
    "12 + 345 = 67,890.5",
    "São Tomé, naïve, cafe\u0301",
    "日本語の文、한국어",
    "a\nb\n\n\tc",
    "for (i = 0; i != 10; i++) { it's_x[i] += 'y'; }",
)
"""None begins with white space: there Llama 2's class has always differed from its file."""
SHOWN = 12
"""Tokens of each split that an error lists."""


def require_split_of_file(tokenizer: PreTrainedTokenizerFast, file: Path, who: str) -> None:
    """Classes of transformers may put their own splitting in the place of the file's, in silence.

    Args:
        file: a `tokenizer.json`.
        who: what errors call its place.

    Raises:
        UserError: a text is split otherwise.
    """
    written = Tokenizer.from_file(str(file))
    written.no_padding()
    written.no_truncation()
    for text in TEXTS:
        mine = tokenizer(text, add_special_tokens=False)["input_ids"]
        its = written.encode(text, add_special_tokens=False)
        if mine != its.ids:
            tokens = tokenizer.convert_ids_to_tokens(mine)[:SHOWN]
            raise UserError(
                f"the tokenizer class of {who}, {type(tokenizer).__name__}, splits {text!r} into {tokens}, and its "
                f"{file.name} into {its.tokens[:SHOWN]}",
                key="tokenizer",
                fix="Set `tokenizer_class` to PreTrainedTokenizerFast in the tokenizer_config.json of a copy, so that "
                "the file is read as it is (for some model types, qwen2 and phi3 among them, transformers takes its "
                f"own class all the same); or, if the class is right, take {file.name} away there",
            )
