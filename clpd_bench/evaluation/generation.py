"""lm-eval's requests to a model, a batch at a time, so that finished batches can be kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.models.utils import Collator

from clpd_bench.distillation.shards import Keep, Tensors


class KeptHFLM(HFLM):  # type: ignore[misc]
    """HFLM whose `generate_until` composes the batches that HFLM would, and keeps the responses of each.
    Log-likelihoods, which cost one pass, are kept once they are complete.

    Args:
        keep: where they are kept.
        progress: told (requests done, of) after each batch.
        apart: whether a choice is tokenised apart from the prompt, as responses are for training; lm-eval makes one
            text of the two, and reckons white space at the prompt's end to the choice.
        settings: of HFLM; `batch_size` is a number.
    """

    def __init__(self, keep: Keep, progress: Callable[[int, int], None], apart: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self._keep, self._progress, self._apart = keep, progress, apart

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        """The responses, in the order of the requests."""

        # As in HFLM.generate_until of lm-eval 0.4.13; a test compares the batches.
        def longest_first(request: tuple[str, dict[str, Any]]) -> tuple[int, str]:
            return -len(self.tok_encode(request[0])), request[0]

        arguments = [request.args for request in requests]
        collator = Collator(
            arguments, sort_fn=longest_first, group_by="gen_kwargs", group_fn=lambda request: request[1]
        )
        responses: list[str] = []
        for batch in collator.get_batched(n=self.batch_size):
            unit = f"responses/{hashlib.sha256(json.dumps(batch).encode()).hexdigest()}"
            responses += _texts(self._keep(unit, partial(self._generate, batch)))
            self._progress(len(responses), len(requests))
        in_order: list[str] = collator.get_original(responses)
        return in_order

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if not self._apart:
            pair: tuple[list[int], list[int]] = super()._encode_pair(context, continuation)
            return pair
        return self.tok_encode(context), self.tok_encode(continuation, add_special_tokens=False)

    def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **settings: Any) -> list[tuple[float, bool]]:
        def scored() -> Tensors:
            pairs = super(KeptHFLM, self)._loglikelihood_tokens(requests, *args, **settings)
            return {
                "nats": torch.tensor([nats for nats, _ in pairs], dtype=torch.float64),
                "greedy": torch.tensor([bool(greedy) for _, greedy in pairs]),
            }

        tokens = [[context, continuation] for _, context, continuation in requests]
        unit = f"likelihoods/{hashlib.sha256(json.dumps(tokens).encode()).hexdigest()}"
        kept = self._keep(unit, scored)
        self._progress(len(requests), len(requests))
        return list(zip(kept["nats"].tolist(), kept["greedy"].tolist(), strict=True))

    def _generate(self, batch: list[tuple[str, dict[str, Any]]]) -> Tensors:
        # Sorted already, and no more than one batch: HFLM leaves it as it is.
        requests = [SimpleNamespace(args=arguments) for arguments in batch]
        texts = super().generate_until(requests, disable_tqdm=True)
        return {"json": torch.frombuffer(bytearray(json.dumps(texts), "ascii"), dtype=torch.uint8)}


def _texts(kept: Tensors) -> list[str]:
    texts: list[str] = json.loads(kept["json"].numpy().tobytes())
    return texts
