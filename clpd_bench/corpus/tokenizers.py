"""Tokenizers made from a corpus, saved as ordinary fast tokenizers of transformers; and those of pretrained weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus.rowless_tokens import without_rowless_tokens
from clpd_bench.corpus.same_split import require_split_of_file
from clpd_bench.errors import UserError
from clpd_bench.settings.pretrained import Start
from clpd_bench.starts import located, unreadable

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
            require_split_of_file(tokenizer, file, start.source.written)
    rows, padding = config.get_text_config().vocab_size, getattr(config.get_text_config(), "pad_token_id", None)
    if padding is not None and not 0 <= padding < rows:
        raise UserError(
            f"pad_token_id is {padding} in the config.json of {start.source.written}, and the model has rows 0 to "
            f"{rows - 1}",
            key="initial",
            fix="Set it to null in a copy of the folder: what pads is the tokenizer's affair",
        )
    without_rowless_tokens(tokenizer, rows)
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer of {start.source.written} has no end token (eos_token), and responses want one")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
