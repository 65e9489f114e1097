"""A corpus folder: `train`, `validation` and `test` as parquet, the tokenizer, a summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from clpd_bench.corpus import chained_sums
from clpd_bench.corpus.example import SPLITS, Example, example_ids
from clpd_bench.corpus.prompts import SHOT_SEPARATOR, ChatForm, Plain, question_text, response_text, take_shots
from clpd_bench.corpus.sources import examples
from clpd_bench.corpus.token_checks import refuse_changed, refuse_special, refuse_unknown, special_tokens
from clpd_bench.corpus.tokenizers import bpe_tokenizer, character_tokenizer, pretrained_tokenizer
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import Bpe, Characters, CorpusSettings, SameAs
from clpd_bench.settings.parts.pretrained import Start
from clpd_bench.settings.parts.sources import ChainedSums


def build(
    settings: CorpusSettings, out: Path, tokenizer_from: Path | None, tokenizer_of: Start | None = None
) -> dict[str, Any]:
    """Writes the corpus into the folder `out`; returns the summary that it also writes there.

    Args:
        tokenizer_from: the corpus folder whose tokenizer is used, under `tokenizer: same_as`.
        tokenizer_of: the pretrained weights whose tokenizer is used, under `tokenizer: of`.

    Raises:
        UserError: bad rows, overlap of splits, an example over `max_tokens`.
    """
    splits, ledger = examples(settings.source)
    shots, splits["train"] = take_shots(splits["train"], settings.shots)
    tokenizer = (
        pretrained_tokenizer(tokenizer_of, out) if tokenizer_of else _tokenizer(settings, splits, shots, tokenizer_from)
    )
    form = (ChatForm if settings.chat else Plain)(settings, shots, tokenizer)
    tokenizer.save_pretrained(str(out / "tokenizer"))
    summary: dict[str, Any] = {"vocabulary_size": max(tokenizer.get_vocab().values()) + 1, "splits": {}}
    if shots:
        summary["shots"] = len(shots)
        summary["worked_examples"] = [shot.question for shot in shots]
    if ledger and ledger.overlap != "refuse":
        summary["overlap"] = ledger.summary()
        ledger.write(out)
    if isinstance(form, ChatForm):
        summary["system"] = form.front
    for split in SPLITS:
        table = _table(splits[split], form, settings, tokenizer, split)
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


def _tokenizer(
    settings: CorpusSettings, splits: dict[str, list[Example]], shots: list[Example], tokenizer_from: Path | None
) -> PreTrainedTokenizerFast:
    if isinstance(settings.tokenizer, SameAs):
        assert tokenizer_from is not None
        return AutoTokenizer.from_pretrained(str(tokenizer_from / "tokenizer"))
    if isinstance(settings.tokenizer, Characters):
        between = SHOT_SEPARATOR if shots else ""
        if isinstance(settings.source, ChainedSums):
            fixed = settings.prompt.replace("{question}", "") + settings.response_start + settings.answer_marker
            return character_tokenizer(chained_sums.ALPHABET + fixed + between)
        # Of all splits: which characters there are tells nothing of the answers.
        all_of_them = [*shots, *(e for split in SPLITS for e in splits[split])]
        return character_tokenizer(between + "".join(_text(e, settings) for e in all_of_them))
    assert isinstance(settings.tokenizer, Bpe)
    return bpe_tokenizer((_text(e, settings) for e in splits["train"]), settings.tokenizer.vocabulary_size)


def _text(example: Example, settings: CorpusSettings) -> str:
    return question_text(example, settings) + response_text(example, settings)


def _table(
    examples: list[Example],
    form: Plain | ChatForm,
    settings: CorpusSettings,
    tokenizer: PreTrainedTokenizerFast,
    split: str,
) -> pa.Table:
    """Rows in the order of their ids. Prompt and response are tokenised apart: at evaluation the
    prompt stands alone, and a merge across the seam would make it another one."""
    prompts = [form.prompt(e) for e in examples]
    responses = [form.response(e) for e in examples]
    prompt_ids = _encode(tokenizer, prompts)
    response_ids = [[*ids, form.end] for ids in _encode(tokenizer, responses)]
    questions = _encode(tokenizer, [e.question for e in examples])
    special = special_tokens(tokenizer)
    ids = zip(questions, prompt_ids, response_ids, strict=True)
    for e, prompt, response, (q, p, r) in zip(examples, prompts, responses, ids, strict=True):
        refuse_special(e, [*q, *r[:-1]], e.question + response, special)
        refuse_unknown(e, [*p, *r[:-1]], [prompt, response], tokenizer)
        refuse_changed(e, r[:-1], response, tokenizer)
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
    if examples[0].choices:
        columns["choices"] = [list(e.choices) for e in examples]
        columns["label"] = [e.label for e in examples]
    return pa.table(columns).sort_by("id")


def _encode(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids
