"""Tokenizers: made from a corpus, or those of pretrained weights, checked against the file beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.errors import UserError
from clpd_bench.outside.weights import located, unreadable
from clpd_bench.settings.parts.pretrained import Start

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


PAD, END, UNKNOWN = "<pad>", "<end>", "<unk>"


def character_tokenizer(characters: Iterable[str]) -> PreTrainedTokenizerFast:
    """One token a character; what is not among `characters` becomes `<unk>`."""
    vocabulary = {token: i for i, token in enumerate([PAD, END, UNKNOWN, *sorted(set(characters))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return _fast(tokenizer, unk_token=UNKNOWN)


def bpe_tokenizer(texts: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE, so that any text can be written; numbers are split into digits."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[PAD, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _fast(tokenizer)


def _fast(tokenizer: Tokenizer, **special: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        **special,
    )


def pretrained_tokenizer(start: Start, scratch: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that belongs to pretrained weights; where it has no token to pad with, the end token does.
    Special tokens that the model has no embedding for are left out.

    Args:
        scratch: a folder for files that are needed meanwhile.

    Raises:
        UserError: there is none, it wants code of its own, it splits otherwise than its file says, it has no end token,
            or the model pads with a token that it does not have.
    """
    with located(start, scratch, tokenizer_alone=True) as at:
        options = {"gguf_file": at.gguf, "trust_remote_code": start.source.trust_remote_code, "local_files_only": True}
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(at.folder), **options)
            config = AutoConfig.from_pretrained(str(at.folder), **options)
        except Exception as error:  # libraries raise many kinds of errors over foreign files
            raise unreadable("tokenizer", start.source, error) from None
        file = at.folder / "tokenizer.json"
        if at.gguf is None and file.exists():
            require_split_of_file(tokenizer, file, start.source.label)
    rows, padding = config.get_text_config().vocab_size, getattr(config.get_text_config(), "pad_token_id", None)
    if padding is not None and not 0 <= padding < rows:
        raise UserError(
            f"pad_token_id is {padding} in the config.json of {start.source.label}, and the model has rows 0 to "
            f"{rows - 1}",
            key="initial",
            fix="Set it to null in a copy of the folder: what pads is the tokenizer's affair",
        )
    without_rowless_tokens(tokenizer, rows)
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer of {start.source.label} has no end token (eos_token), and responses want one")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
