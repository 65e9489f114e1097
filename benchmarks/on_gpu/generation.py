"""Greedy generation as an evaluation does it, of a 0.5B of random weights in bfloat16: new tokens a second by batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from workload import END, PAD, Workload, model

from clpd_bench.costs.memory import Held, generating
from clpd_bench.distillation.models import greedy_settings, position_limit
from clpd_bench.distillation.shards import compute
from clpd_bench.flops.sizes import HALF
from on_gpu.card import allocated, forget_peak, peak_since, synchronize
from on_gpu.results import Case, Values
from on_gpu.sizes import dimensions, half_b, memory

BATCHES, NEW = (8, 32, 64, 128, 256), 96
WARM = 4
"""New tokens of the batch that goes before."""


def cases(shrunk: bool, device: str) -> Iterator[Case]:
    workload = half_b(shrunk)
    for batch in (2, 3) if shrunk else BATCHES:
        yield Case(f"0.5B, batch {batch}", partial(_generated, workload, batch, 6 if shrunk else NEW, device))


def _generated(workload: Workload, batch: int, new: int, device: str) -> tuple[Values, None]:
    before = allocated(device)
    reader = model(workload.student, workload.vocabulary, "bfloat16", device).eval()
    tokenizer = _tokenizer(workload.vocabulary)
    reader.generation_config = greedy_settings(tokenizer)
    prompts = np.random.default_rng(0).integers(10, workload.vocabulary, (batch, workload.prompt)).tolist()
    path, generate = _path(reader, tokenizer, batch)
    generate(prompts, WARM)
    synchronize(device)
    forget_peak(device)
    began = time.perf_counter()
    tokens = generate(prompts, new)
    synchronize(device)
    seconds, peak = time.perf_counter() - began, peak_since(device, before)
    held = Held(dimensions(workload.student, workload.vocabulary), HALF)
    values: Values = {"tokens_per_second": tokens / seconds, "ms_per_token": 1000 * seconds * batch / tokens}
    return {**values, "by": path, **memory(peak, generating(held, batch, workload.prompt, new))}, None


def _path(reader: Any, tokenizer: Any, batch: int) -> tuple[str, Any]:
    """(by what, (prompts, most new tokens) -> how many tokens were generated): the evaluation's own, or where lm-eval
    is not there what it calls."""
    try:
        from clpd_bench.evaluation.harness import KeptHFLM
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "lm_eval":
            raise
        return "transformers alone: lm_eval is missing", partial(_by_transformers, reader)

    language_model = KeptHFLM(
        compute,
        lambda done, of: None,
        apart=True,
        pretrained=reader,
        tokenizer=tokenizer,
        batch_size=batch,
        max_length=position_limit(reader),
        add_bos_token=False,
        device=str(reader.device),
    )

    def by_harness(prompts: list[list[int]], new: int) -> int:
        # As evaluation.task writes it.
        settings = {"until": [f"t{END}"], "eos_token_id": [END], "max_gen_toks": new, "do_sample": False}
        texts = [" ".join(f"t{token}" for token in prompt) for prompt in prompts]
        requests = [SimpleNamespace(args=(text, dict(settings)), doc_id=i) for i, text in enumerate(texts)]
        earlier = language_model.read.responses
        with torch.inference_mode():
            language_model.generate_until(requests, disable_tqdm=True)
        return int(language_model.read.responses - earlier)

    return "KeptHFLM", by_harness


def _by_transformers(reader: Any, prompts: list[list[int]], new: int) -> int:
    rows = torch.tensor(prompts, device=reader.device)
    with torch.inference_mode():
        made = reader.generate(input_ids=rows, attention_mask=torch.ones_like(rows), max_new_tokens=new)
    return int(made[:, rows.shape[1] :].numel())


@cache
def _tokenizer(vocabulary: int) -> Any:
    """Words t0, t1, ... with white space between them."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token=f"t{PAD}", eos_token=f"t{END}")
