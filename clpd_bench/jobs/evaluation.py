"""evaluation: a model on a split of a corpus, or on a task of lm-eval, item by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.corpus.leaks import leak, questions_of
from clpd_bench.corpus.reader import Split, read_difficulty, read_split
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.devices import device
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.model_checks import require_causal_rows
from clpd_bench.distillation.models import length_boundaries, load_model, position_limit
from clpd_bench.distillation.shards import Shards
from clpd_bench.distillation.spent_flops import harness_flops, scoring_flops
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.errors import UserError
from clpd_bench.evaluation.gold import prepare, write_ledger
from clpd_bench.evaluation.harness import run_harness
from clpd_bench.evaluation.items import (
    document_ids,
    item_metrics,
    response_loss_rows,
    sample_rows,
    write_items,
    write_results,
)
from clpd_bench.evaluation.load_task import loaded, loaded_by_name
from clpd_bench.evaluation.task import scored_choices
from clpd_bench.evaluation.task_documents import kept_documents, refuse_read
from clpd_bench.evaluation.tokens import special_tokens, stop_of
from clpd_bench.flops.sizes import LOSS_BATCH_TOKENS
from clpd_bench.flops.tokens import Read
from clpd_bench.jobs.body import Measured
from clpd_bench.jobs.reader import load_reader
from clpd_bench.settings.specs import READ, BenchmarkSpec, ChoiceSpec, EvaluationSpec, TaskSpec


def run(spec: EvaluationSpec, inputs: dict[str, Path], out: Path, context: Context) -> Measured:
    folder, dtype = inputs["model"], getattr(torch, spec.dtype)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    shards = Shards(context)
    read = {f"corpus {inputs[role].name}": inputs[role] for role in inputs if role.startswith(READ)}
    if isinstance(spec.benchmark, TaskSpec):
        model = load_model(folder, dtype).to(device()).eval()
        require_causal_rows(model, "the evaluated model")
        evaluated = _Evaluated(model, tokenizer, folder.name, spec, out, shards)
        loading = _unread(spec.benchmark, read)
        found = evaluated.on_task(loading, position_limit(model) or 0, None, context.progress)
        write_items(evaluated.rows, None, out / "items.parquet")
        return Measured(flops=harness_flops(model, evaluated.read), details={"items": found, **evaluated.details})
    _refuse_read(inputs["corpus"], read)
    whole = read_split(inputs["corpus"], spec.split)
    corpus_tokenizer = AutoTokenizer.from_pretrained(str(inputs["corpus"] / "tokenizer"))
    split = prepare(whole, spec.benchmark, corpus_tokenizer, out)
    model = load_reader(folder, corpus_tokenizer, int(split.tokens.max()), "the evaluated model", dtype)
    evaluated = _Evaluated(model, tokenizer, folder.name, spec, out, shards)
    items = len(split.ids)
    longest = _longest(spec.benchmark, split, model, tokenizer)
    # An item that lm-eval has too goes through the model twice, and counts each time.
    before = items if longest else 0

    def harnessed(done: int, of: int) -> None:
        context.progress(done * items // of, before + items)

    def scored(done: int, of: int) -> None:
        context.progress(before + done, before + items)

    if len(whole.ids) > items:
        evaluated.details["gold_dropped"] = {"items": len(whole.ids) - items, "of": len(whole.ids)}
    if longest:
        evaluated.on_task(loaded(out), longest, special_tokens(split, tokenizer), harnessed)
    vocabulary = Vocabulary.of(tokenizer)
    scores = score(model, split, LOSS_BATCH_TOKENS, vocabulary, shards.keep, scored)
    difficulty = None
    if "difficulty" in inputs:
        of_items = read_difficulty(inputs["difficulty"], spec.split)
        difficulty = dict(zip(whole.ids.tolist(), of_items.tolist(), strict=True))
    write_items([*evaluated.rows, *response_loss_rows(split, scores.response_loss)], difficulty, out / "items.parquet")
    tokens = int(split.tokens.sum())
    flops = scoring_flops(model, [split], LOSS_BATCH_TOKENS, vocabulary.size) + harness_flops(model, evaluated.read)
    return Measured(tokens, flops, evaluated.details)


@contextmanager
def _unread(spec: TaskSpec, read: Mapping[str, Path]) -> Iterator[Any]:
    """A task whose documents the model has not read."""
    with loaded_by_name(spec) as task:
        refuse_read(task, spec, read)
        yield task


def _refuse_read(corpus: Path, read: Mapping[str, Path]) -> None:
    """Whoever plans has compared them before; a plan may come from elsewhere.

    Raises:
        UserError: a test question stands in what the model has read.
    """
    for name, folder in read.items():
        if found := leak(questions_of(corpus, "test"), folder):
            raise UserError(
                f"{found.count} of {found.of} test questions stand in {name}, which the model has read, {found.first}",
                fix="Take them out of one of the two corpora",
            )


@dataclass
class _Evaluated:
    """A model while it is evaluated.

    Attributes:
        name: of the model, in lm-eval's results.
        rows: items so far.
        details: for the manifest.
        read: what went through the model for lm-eval.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    name: str
    spec: EvaluationSpec
    out: Path
    shards: Shards
    rows: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    read: Read = field(default_factory=Read)

    def on_task(
        self,
        loading: AbstractContextManager[Any],
        longest: int,
        special: bool | None,
        progress: Callable[[int, int], None],
    ) -> int:
        """Rows and lm-eval's own results of a task; the number of its documents.

        Args:
            longest: tokens of the longest sequence that the task may make.
        """
        spec, batch_size = self.spec, self.spec.batch_size
        if any(longest > boundary for boundary in length_boundaries(self.model)):
            # A sequence grows over the boundary when the longest of its batch does.
            batch_size = self.details["batch_size"] = 1
        with loading as task:
            chosen = self._chosen(task, spec.benchmark) if isinstance(spec.benchmark, TaskSpec) else None
            results, truncated, self.read = run_harness(
                self.model, self.tokenizer, task, batch_size, special, self.shards.keep, progress, chosen
            )
            samples = results["samples"][task.task_name]
            metrics, left = item_metrics(task, samples)
        named = isinstance(spec.benchmark, TaskSpec)
        ids = document_ids(samples) if named else [sample["doc"]["id"] for sample in samples]
        self.rows += sample_rows(samples, metrics, ids, truncated)
        if left:
            self.details["metrics_left_out"] = left
        write_results(results, self.name, spec.dtype, batch_size, self.out)
        return len({*ids})

    def _chosen(self, task: Any, spec: TaskSpec) -> list[int] | None:
        """Of a task of lm-eval the documents that are evaluated; None for all."""
        kept, lost, unchecked = kept_documents(task, spec)
        if unchecked:
            self.details["gold_unchecked"] = unchecked
        if lost:
            self.details["gold_dropped"] = {"items": len(lost), "of": len(kept) + len(lost)}
            write_ledger({f"document {i}": why for i, why in lost.items()}, self.out)
        return kept if lost or spec.limit is not None else None


def _longest(
    benchmark: BenchmarkSpec | ChoiceSpec, split: Split, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> int:
    """Tokens of the longest sequence in lm-eval's part of a benchmark on a corpus; 0 where there is none."""
    if isinstance(benchmark, ChoiceSpec):
        texts = [text for texts in scored_choices(split, stop_of(split, tokenizer)) for text in texts]
        longest = max(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))
        return _require_room(model, split, longest, "tokens of a choice", "corpus")
    if benchmark.max_new_tokens is None:
        return 0
    return _require_room(model, split, benchmark.max_new_tokens, "new tokens", "max_new_tokens")


def _require_room(model: PreTrainedModel, split: Split, more: int, what: str, key: str) -> int:
    """Tokens of the longest prompt and as many more."""
    longest, limit = int(split.prompts.lengths.max()) + more, position_limit(model)
    if limit is not None and longest > limit:
        raise UserError(
            f"the longest prompt and {more} {what} make {longest}, and the model's limit is {limit}; lm-eval would cut "
            "the prompt",
            key=key,
            fix="Lower the benchmark's max_new_tokens, or raise max_position_embeddings of the models",
        )
    return longest
