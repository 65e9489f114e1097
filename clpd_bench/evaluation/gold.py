"""Whether the right answers get full marks: the corpus's own responses, read as a student's outputs are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import yaml
from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.reader import Split
from clpd_bench.errors import UserError
from clpd_bench.evaluation import scoring
from clpd_bench.evaluation.task import DOCUMENTS, TASK, write_choice_task, write_task
from clpd_bench.evaluation.tokens import require_trained_choices, stop_of
from clpd_bench.settings.parts.metrics import METRICS
from clpd_bench.settings.specs import BenchmarkSpec, ChoiceSpec


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


LEDGER = "gold_dropped.json"
LISTED = 3
"""Items that an error names."""
IMPOSSIBLE = -1000.0
"""Nats of the wrong choices, where the right one has 0."""

Marked = tuple[str, str | None, dict[str, Any]]
"""Of an output: a filter's name, what it found (None where choices are weighed), and the metrics."""


class Reading(NamedTuple):
    """How a task reads outputs.

    Attributes:
        outputs: those that the right answers are.
        marks: of the output of each document by each filter, document by document.
    """

    outputs: list[str]
    marks: Sequence[Sequence[Marked]]


def prepare(
    split: Split, benchmark: BenchmarkSpec | ChoiceSpec, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> Split:
    """Writes the task of a benchmark into `folder`; returns the items that it has: all, or under `gold: drop` those
    that get full marks, and then `gold_dropped.json` has the others, each with its reason.

    Raises:
        UserError: the benchmark cannot be had of this corpus; or an item's own response does not get full marks.
    """
    if isinstance(benchmark, BenchmarkSpec) and benchmark.max_new_tokens is None:
        return split  # the response loss alone reads no answer
    _write(split, benchmark, tokenizer, folder)
    lost = _lost(_reading(folder, split, tokenizer))
    if isinstance(benchmark, BenchmarkSpec) and benchmark.max_new_tokens is not None:
        if benchmark.gold == "refuse":
            require_room_for_gold(split, benchmark.max_new_tokens)
        for i, needed in enumerate(split.responses.lengths.tolist()):
            if needed > benchmark.max_new_tokens:
                lost[i] = f"it has {needed} tokens, its end token with them"
    if not lost:
        return split
    ids = split.ids.tolist()
    if benchmark.gold == "refuse":
        raise _refused(lost, split)
    kept = [i for i in range(len(ids)) if i not in lost]
    if not kept:
        raise UserError(f"no item is left under `gold: drop`: {next(iter(lost.values()))}", key="gold", found="drop")
    write_ledger({ids[i]: why for i, why in lost.items()}, folder)
    rest = split.take(kept)
    _write(rest, benchmark, tokenizer, folder)
    return rest


def write_ledger(lost: Mapping[str, str], folder: Path) -> None:
    """Writes `gold_dropped.json`: {item: why it is left out}."""
    (folder / LEDGER).write_text(json.dumps(lost, indent=2, ensure_ascii=False))


def lost_by(reading: Reading) -> tuple[dict[int, str], list[str]]:
    """Of a task that is not ours, whose targets may be no outputs: the documents without full marks in a filter that
    gives them to some, and the filters that give them to none, under which nothing is checked."""
    filters = {name for marked in reading.marks for name, _, scores in marked if _is_full(scores)}
    unchecked = sorted({name for marked in reading.marks for name, _, _ in marked} - filters)
    return _lost(reading, filters), unchecked


def choice_results(choices: Sequence[str], right: int) -> list[tuple[float, bool]]:
    """What a model that is sure of the right choice gives; a choice of the same text is as likely."""
    return [(0.0 if choice == choices[right] else IMPOSSIBLE, choice == choices[right]) for choice in choices]


def _write(
    split: Split, benchmark: BenchmarkSpec | ChoiceSpec, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    stop = stop_of(split, tokenizer)
    if isinstance(benchmark, ChoiceSpec):
        require_trained_choices(split, write_choice_task(split, stop, folder), tokenizer)
    else:
        write_task(split, benchmark, stop, folder)


def _reading(folder: Path, split: Split, tokenizer: PreTrainedTokenizerFast) -> Reading:
    """By the files themselves, as lm-eval reads them, which takes seconds to import; a test compares the two."""
    task = yaml.load((folder / f"{TASK}.yaml").read_text(), Loader=_Loader)
    documents = pq.read_table(folder / DOCUMENTS).to_pylist()
    score: Callable[[Any, Any], dict[str, Any]] = task["process_results"]
    if task["output_type"] == "multiple_choice":
        of_choices = [choice_results(one["scored"], one["label"]) for one in documents]
        outputs = [one["scored"][one["label"]] for one in documents]
        return Reading(outputs, [[("none", None, score(d, r))] for d, r in zip(documents, of_choices, strict=True)])
    outputs = list(_outputs(split, tokenizer, task["generation_kwargs"]["until"]))
    by_filter = {
        one["name"]: one["filter"][0]["filter_fn"]([[output] for output in outputs], documents)
        for one in task["filter_list"]
    }
    marks = [
        [(name, found[i], score(document, [found[i]])) for name, found in by_filter.items()]
        for i, document in enumerate(documents)
    ]
    return Reading(outputs, marks)


def _outputs(split: Split, tokenizer: PreTrainedTokenizerFast, stops: Sequence[str]) -> Iterator[str]:
    """The responses as a model that writes them would be read: decoded from their tokens, up to a stop."""
    for i in range(len(split.ids)):
        text = str(tokenizer.decode(split.responses[i].tolist()[:-1], skip_special_tokens=True))
        for stop in stops:
            text = text.split(stop)[0]
        yield text


def _lost(reading: Reading, filters: set[str] | None = None) -> dict[int, str]:
    out = {}
    for i, (output, marked) in enumerate(zip(reading.outputs, reading.marks, strict=True)):
        for name, found, scores in marked:
            if (filters is None or name in filters) and not _is_full(scores):
                under = "not the most likely choice" if found is None else f"{found!r} under the filter {name}"
                out[i] = f"{output[-80:]!r} is {under}"
                break
    return out


def _is_full(scores: Mapping[str, Any]) -> bool:
    return all(value == 1 for name, value in scores.items() if name in METRICS)


def _refused(lost: Mapping[int, str], split: Split) -> UserError:
    questions, answers, ids = split.texts("question"), split.texts("answer"), split.ids.tolist()
    shown = "; ".join(
        f"item {ids[i]} ({questions[i][:50]!r}, answer {answers[i][:50]!r}): {why}"
        for i, why in list(lost.items())[:LISTED]
    )
    return UserError(
        f"{len(lost)} of {len(ids)} items' own responses do not get full marks, so no student could: {shown}",
        key="gold",
        fix="Set `extract` and `ignore` of the benchmark, or answer_marker of the corpus, by what its answers are; or "
        "mend the items; or leave them out: `gold: drop`",
    )


class _Loader(yaml.SafeLoader):
    """`!function scoring.strict` is the function that the copy beside the file has, too."""


_Loader.add_constructor("!function", lambda loader, node: getattr(scoring, str(node.value).rpartition(".")[2]))
