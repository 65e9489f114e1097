"""A corpus folder: `train`, `validation` and `test` as parquet, the tokenizer, a summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus import chained_sums, jsonl, own
from clpd_bench.corpus.example import SPLITS, Example, example_ids
from clpd_bench.corpus.tokenizers import bpe_tokenizer, character_tokenizer
from clpd_bench.errors import UserError
from clpd_bench.settings.corpus import ChainedSums, Characters, CorpusSettings, SameAs
from clpd_bench.settings.plugin import CorpusPlugin


def prompt_of(example: Example, settings: CorpusSettings) -> str:
    return settings.prompt.replace("{question}", example.question)


def response_of(example: Example, settings: CorpusSettings) -> str:
    """The text that is learnt, without the end token."""
    return f"{example.rationale}{settings.answer_marker}{example.answer}" if example.rationale else example.answer


def build(settings: CorpusSettings, out: Path, tokenizer_from: Path | None) -> dict[str, Any]:
    """Writes the corpus into the folder `out`; returns the summary that it also writes there.

    Args:
        tokenizer_from: the corpus folder whose tokenizer is used, under `tokenizer: same_as`.

    Raises:
        UserError: bad rows, overlap of splits, an example over `max_tokens`.
    """
    splits = _examples(settings)
    tokenizer = _tokenizer(settings, splits, tokenizer_from)
    tokenizer.save_pretrained(str(out / "tokenizer"))
    summary: dict[str, Any] = {"vocabulary_size": len(tokenizer), "splits": {}}
    for split in SPLITS:
        table = _table(splits[split], settings, tokenizer, split)
        pq.write_table(table, out / f"{split}.parquet", compression="zstd")
        prompts, responses = (
            [len(ids) for ids in table[column].to_pylist()] for column in ("prompt_ids", "response_ids")
        )
        summary["splits"][split] = {
            "examples": table.num_rows,
            "prompt_tokens": sum(prompts),
            "response_tokens": sum(responses),
            "longest_prompt": max(prompts),
            "longest_response": max(responses),
        }
    (out / "corpus.json").write_text(json.dumps(summary, indent=2))
    return summary


def _examples(settings: CorpusSettings) -> dict[str, list[Example]]:
    source = settings.source
    if isinstance(source, ChainedSums):
        return chained_sums.generate(source)
    return own.read(source) if isinstance(source, CorpusPlugin) else jsonl.read(source)


def _tokenizer(
    settings: CorpusSettings, splits: dict[str, list[Example]], tokenizer_from: Path | None
) -> PreTrainedTokenizerFast:
    if isinstance(settings.tokenizer, SameAs):
        assert tokenizer_from is not None
        return AutoTokenizer.from_pretrained(str(tokenizer_from / "tokenizer"))
    if isinstance(settings.tokenizer, Characters):
        if isinstance(settings.source, ChainedSums):
            fixed = chained_sums.ALPHABET + settings.prompt.replace("{question}", "") + settings.answer_marker
            return character_tokenizer(fixed)
        # Of all splits: which characters there are tells nothing of the answers.
        return character_tokenizer("".join(_text(e, settings) for split in SPLITS for e in splits[split]))
    return bpe_tokenizer((_text(e, settings) for e in splits["train"]), settings.tokenizer.vocabulary_size)


def _text(example: Example, settings: CorpusSettings) -> str:
    return prompt_of(example, settings) + response_of(example, settings)


def _table(
    examples: list[Example], settings: CorpusSettings, tokenizer: PreTrainedTokenizerFast, split: str
) -> pa.Table:
    """Rows in the order of their ids. Prompt and response are tokenised apart: at evaluation the
    prompt stands alone, and a merge across the seam would make it another one."""
    prompts = [prompt_of(e, settings) for e in examples]
    responses = [response_of(e, settings) for e in examples]
    prompt_ids = _encode(tokenizer, prompts)
    response_ids = [[*ids, tokenizer.eos_token_id] for ids in _encode(tokenizer, responses)]
    for e, p, r in zip(examples, prompt_ids, response_ids, strict=True):
        _refuse_special(e, [*p, *r[:-1]], tokenizer)
        _refuse_unknown(e, settings, [*p, *r], tokenizer)
        if len(p) + len(r) > settings.max_tokens:
            raise UserError(
                f"a {split} example has {len(p) + len(r)} tokens, and the limit is {settings.max_tokens} "
                f"({e.question[:50]!r}); examples are never cut",
                file=e.file,
                line=e.line,
                key="max_tokens",
                fix="Raise the corpus's max_tokens (and the models' max_position_embeddings), or take the example out",
            )
    columns: dict[str, Any] = {
        "id": example_ids(examples),
        "question": [e.question for e in examples],
        "prompt": prompts,
        "response": responses,
        "rationale": [e.rationale for e in examples],
        "answer": [e.answer for e in examples],
        "rationale_tokens": [len(ids) for ids in _encode(tokenizer, [e.rationale for e in examples])],
        "prompt_ids": pa.array(prompt_ids, pa.list_(pa.int32())),
        "response_ids": pa.array(response_ids, pa.list_(pa.int32())),
        **{f"column.{name}": [e.columns[name] for e in examples] for name in examples[0].columns},
    }
    return pa.table(columns).sort_by("id")


def _refuse_special(example: Example, ids: list[int], tokenizer: PreTrainedTokenizerFast) -> None:
    """Text that spells the end token would end the response there, for the loss and in evaluation."""
    for token, special in (
        (tokenizer.eos_token, tokenizer.eos_token_id),
        (tokenizer.pad_token, tokenizer.pad_token_id),
    ):
        if special in ids:
            raise UserError(
                f"the text of {example.question[:50]!r} holds {token!r}, which is a token of the tokenizer's own",
                file=example.file,
                line=example.line,
                fix="Take it out of the text",
            )


def _refuse_unknown(
    example: Example, settings: CorpusSettings, ids: list[int], tokenizer: PreTrainedTokenizerFast
) -> None:
    """What a borrowed tokenizer cannot write, a model would neither read nor learn."""
    if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in ids:
        vocabulary = tokenizer.get_vocab()
        unknown = sorted({c for c in _text(example, settings) if c not in vocabulary})
        raise UserError(
            f"the tokenizer has no token for {' '.join(map(repr, unknown))} in {example.question[:50]!r}",
            file=example.file,
            line=example.line,
            key="tokenizer",
            fix="Let the corpus make its own tokenizer, or borrow one that was made on text like it",
        )


def _encode(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids
