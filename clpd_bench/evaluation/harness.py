"""lm-eval 0.4.13 in this process, a batch at a time, so that finished batches are kept."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.models.utils import Collator
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from clpd_bench.distillation.models import greedy_settings, position_limit
from clpd_bench.distillation.shards import Keep, Tensors
from clpd_bench.flops.tokens import Read, read_as_prompts, read_at_every_place, read_while_generating


class KeptHFLM(HFLM):  # type: ignore[misc]
    """HFLM whose `generate_until` composes the batches that HFLM would, and keeps the responses of each.
    Log-likelihoods, which cost one pass, are kept once they are complete.

    Args:
        keep: where they are kept.
        progress: called with (requests done, of) after each batch.
        apart: whether a choice is tokenised apart from the prompt, as responses are for training; lm-eval makes one
            text of the two, and reckons white space at the prompt's end to the choice.
        settings: of HFLM; `batch_size` is a number.

    Attributes:
        truncated: {document: whether its first output ended by length}.
        read: what went through the model, in earlier attempts whose batches are kept too.
    """

    def __init__(self, keep: Keep, progress: Callable[[int, int], None], apart: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self._keep, self._progress, self._apart = keep, progress, apart
        self.truncated: dict[int, bool] = {}
        self.read = Read()
        self._reads = Read()  # of the newest unit
        self._cut: list[bool] = []  # of the newest batch

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        """The responses, in the order of the requests."""

        # As in HFLM.generate_until of lm-eval 0.4.13; a test compares the batches.
        def longest_first(request: tuple[str, dict[str, Any]]) -> tuple[int, str]:
            return -len(self.tok_encode(request[0])), request[0]

        arguments = [request.args for request in requests]
        collator = Collator(
            arguments, sort_fn=longest_first, group_by="gen_kwargs", group_fn=lambda request: request[1]
        )
        responses: list[tuple[str, bool]] = []
        for batch in collator.get_batched(n=self.batch_size):
            unit = f"outputs/{hashlib.sha256(json.dumps(batch).encode()).hexdigest()}"
            kept = self._keep(unit, partial(self._generate, batch))
            responses += _responses(kept)
            self.read += Read(*kept["read"].tolist())
            self._progress(len(responses), len(requests))
        in_order: list[tuple[str, bool]] = collator.get_original(responses)
        for request, (_, cut) in zip(requests, in_order, strict=True):
            self.truncated.setdefault(request.doc_id, cut)
        return [text for text, _ in in_order]

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if not self._apart:
            pair: tuple[list[int], list[int]] = super()._encode_pair(context, continuation)
            return pair
        return self.tok_encode(context), self.tok_encode(continuation, add_special_tokens=False)

    def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **settings: Any) -> list[tuple[float, bool]]:
        def scored() -> Tensors:
            self._reads = Read()
            pairs = super(KeptHFLM, self)._loglikelihood_tokens(requests, *args, **settings)
            return {
                "nats": torch.tensor([nats for nats, _ in pairs], dtype=torch.float64),
                "greedy": torch.tensor([bool(greedy) for _, greedy in pairs]),
                "read": _numbers(self._reads),
            }

        tokens = [[context, continuation] for _, context, continuation in requests]
        unit = f"choices/{hashlib.sha256(json.dumps(tokens).encode()).hexdigest()}"
        kept = self._keep(unit, scored)
        self.read += Read(*kept["read"].tolist())
        self._progress(len(requests), len(requests))
        return list(zip(kept["nats"].tolist(), kept["greedy"].tolist(), strict=True))

    def _generate(self, batch: list[tuple[str, dict[str, Any]]]) -> Tensors:
        # Sorted already, and no more than one batch: HFLM leaves it as it is.
        requests = [SimpleNamespace(args=arguments) for arguments in batch]
        self._reads = Read()
        texts = super().generate_until(requests, disable_tqdm=True)
        text = torch.frombuffer(bytearray(json.dumps(texts), "ascii"), dtype=torch.uint8)
        return {"json": text, "truncated": torch.tensor(self._cut), "read": _numbers(self._reads)}

    def _model_call(self, inps: torch.Tensor, *args: Any, **settings: Any) -> Any:
        rows, width = inps.shape
        self._reads += read_at_every_place(rows, width)
        return super()._model_call(inps, *args, **settings)

    def _model_generate(self, context: Any, max_length: int, stop: list[str], **settings: Any) -> torch.Tensor:
        rows: torch.Tensor = super()._model_generate(context, max_length=max_length, stop=stop, **settings)
        new = rows[:, context.shape[1] :]
        (count, width), steps = context.shape, new.shape[1]
        self._reads += read_as_prompts(count, width) + read_while_generating(count, width, steps)
        end = settings.get("eos_token_id", self.model.generation_config.eos_token_id)
        ends = end if isinstance(end, list) else [] if end is None else [end]
        self._cut = ended_by_length(new, ends, self.tokenizer.batch_decode(new), stop)
        return rows


def ended_by_length(
    new: torch.Tensor, ends: Collection[int], texts: Collection[str], stops: Collection[str]
) -> list[bool]:
    """Of each row whether it has no end: neither an end token nor a text that stops it. Who goes on for the longest
    decides when a batch ends, and a row that ended before is padded, or cut at its stop later on.

    Args:
        new: shape [B, tokens], what was generated.
        texts: of these, special tokens among them.
    """
    ended = torch.isin(new, torch.tensor([*ends], dtype=new.dtype, device=new.device)).any(dim=1).tolist()
    return [not end and not any(stop in text for stop in stops) for end, text in zip(ended, texts, strict=True)]


def _numbers(read: Read) -> torch.Tensor:
    return torch.tensor([read.tokens, read.squares, read.responses], dtype=torch.int64)


def _responses(kept: Tensors) -> list[tuple[str, bool]]:
    texts: list[str] = json.loads(kept["json"].numpy().tobytes())
    return list(zip(texts, kept["truncated"].tolist(), strict=True))


LOGGERS = ("lm_eval", "lm-eval", "datasets")
BOOTSTRAPS = 1000
"""Of the standard errors, over items alone, in lm-eval's own results; that of a mean needs none."""


def quiet() -> None:
    """Of lm-eval and datasets, errors alone."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)


def run_harness(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    task: Any,
    batch_size: int,
    special_tokens: bool | None,
    keep: Keep,
    progress: Callable[[int, int], None],
    documents: list[int] | None = None,
) -> tuple[dict[str, Any], dict[int, bool], Read]:
    """lm-eval's own results of one task, its samples among them, one a document and filter; and of each document
    for which something was generated, by its number, whether the output ended by length; and what the model read.

    Generation goes by the task's settings and beyond them by `greedy_settings`, which replace the model's own.
    Caches stay off: `use_cache` does not know which model it holds, `cache_requests` not which samples.
    lm-eval reseeds the global generators and leaves the model in evaluation mode.

    Args:
        task: one of lm-eval's that has been loaded.
        special_tokens: of a task of ours, whether the tokenizer puts its special tokens around a prompt
            (`add_bos_token`); None of lm-eval's, for as the tokenizer likes it.
        keep: where each batch's responses are kept.
        progress: called with (requests done, of) after each batch.
        documents: places of those that are evaluated; None for all.
    """
    from lm_eval.evaluator import simple_evaluate  # costs seconds to import: only for who evaluates
    from lm_eval.tasks import TaskManager

    quiet()
    model.generation_config = greedy_settings(tokenizer)
    language_model = KeptHFLM(
        keep,
        progress,
        apart=special_tokens is not None,
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=batch_size,
        max_length=position_limit(model),
        add_bos_token=special_tokens,
        device=str(next(model.parameters()).device),
    )
    # lm-eval asks pip, compilers and the processor what there is, a second for each task, and it would not be kept.
    with torch.inference_mode(), patch("torch.utils.collect_env.get_pretty_env_info", str):
        results = simple_evaluate(
            model=language_model,
            tasks=[task],
            task_manager=TaskManager(include_defaults=False),
            batch_size=batch_size,
            samples=None if documents is None else {task.task_name: documents},
            bootstrap_iters=BOOTSTRAPS,
            log_samples=True,
            verbosity="ERROR",
        )
    assert results is not None
    # Requests are numbered among the chosen documents, samples among all.
    numbers = documents or range(len(language_model.truncated))
    truncated = {numbers[i]: cut for i, cut in language_model.truncated.items()}
    return dict(results), truncated, language_model.read
