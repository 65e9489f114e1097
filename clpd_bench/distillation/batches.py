"""Slices of a global batch: padded token rows, and where in them the response stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.devices import moved
from clpd_bench.flops.sizes import micro_batches_of


@dataclass(frozen=True)
class MicroBatch:
    """B rows, R response tokens in all, row after row.

    Attributes:
        places: shape [B], which presentations of the global batch these are.
        input_ids: shape [B, L]; right-padded, without each row's last token, which predicts nothing.
        row, column: shape [R]; the hidden state at (row, column) predicts the response token.
        labels: shape [R]; that token.
        row_of: shape [R]; `row`, on the CPU whatever the device: to ask a GPU for it is to wait for it.
        token: shape [R]; its number among all response tokens of the split, where targets are kept. On the CPU.
    """

    places: NDArray[np.int64]
    input_ids: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    labels: torch.Tensor
    row_of: torch.Tensor
    token: torch.Tensor

    @property
    def fingerprint(self) -> str:
        """64 hex digits: equal for equal rows in equal order and padding, wherever they stand in the split."""
        digest = hashlib.sha256(f"{tuple(self.input_ids.shape)}".encode())
        for part in (self.input_ids, self.row, self.column, self.labels):
            digest.update(part.cpu().numpy().tobytes())
        return digest.hexdigest()


def micro_batches(
    split: Split,
    examples: NDArray[np.int64],
    padded_tokens: int,
    pad_id: int,
    device: torch.device,
    boundaries: Iterable[int] = (),
) -> Iterator[MicroBatch]:
    """Slices `examples` (positions in the split) so that rows of like length lie together and none
    but a single long row has more than `padded_tokens` tokens with its padding.

    Args:
        boundaries: `length_boundaries` of the models that read the slices.
    """
    for places in micro_batches_of(split.tokens[examples], padded_tokens, boundaries):
        yield _collate(split, examples[places], places, pad_id, device)


def _collate(
    split: Split, examples: NDArray[np.int64], places: NDArray[np.int64], pad_id: int, device: torch.device
) -> MicroBatch:
    width = int(split.tokens[examples].max()) - 1
    input_ids = np.full((len(examples), width), pad_id, dtype=np.int64)
    rows, columns, tokens = [], [], []
    for i, example in enumerate(examples):
        prompt, response = split.prompts[example], split.responses[example]
        sequence = np.concatenate([prompt, response])[:-1]
        input_ids[i, : len(sequence)] = sequence
        rows.append(np.full(len(response), i))
        columns.append(np.arange(len(prompt) - 1, len(sequence)))
        tokens.append(np.arange(split.responses.offsets[example], split.responses.offsets[example + 1]))
    token = np.concatenate(tokens)

    row, column = np.concatenate(rows), np.concatenate(columns)
    labels = split.responses.values[token].astype(np.int64)
    ids_there, row_there, column_there, labels_there = (
        moved(torch.from_numpy(array), device) for array in (input_ids, row, column, labels)
    )
    row_of, token_of = torch.from_numpy(row), torch.from_numpy(token)
    return MicroBatch(places, ids_there, row_there, column_there, labels_there, row_of, token_of)
