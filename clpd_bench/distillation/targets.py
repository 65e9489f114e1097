"""Targets: a teacher's logits on a corpus, computed once and read by every student."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.chunked import logits_in_chunks
from clpd_bench.distillation.devices import moved
from clpd_bench.distillation.divergences import TargetRows, tempered
from clpd_bench.distillation.files import MappedRows
from clpd_bench.distillation.head import Head, head_of
from clpd_bench.distillation.models import hidden_states, length_boundaries
from clpd_bench.distillation.shards import Keep, Tensors, compute
from clpd_bench.distillation.supervisors import RowsAt
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.loss import TargetsSettings


def token_hashes(split: Split) -> NDArray[np.int64]:
    """Shape [N]: 63 bits of each example's prompt and response token ids."""
    return np.array(
        [
            int.from_bytes(hashlib.sha256(p.tobytes() + b"|" + r.tobytes()).digest()[:8], "big") >> 1
            for p, r in ((split.prompts[i], split.responses[i]) for i in range(len(split.ids)))
        ],
        dtype=np.int64,
    )


@torch.inference_mode()
def write_targets(
    model: PreTrainedModel,
    split: Split,
    settings: TargetsSettings,
    batch_tokens: int,
    vocabulary: Vocabulary,
    folder: Path,
    progress: Callable[[int, int], None],
    keep: Keep = compute,
) -> None:
    """Runs the teacher over a split; rows stand in the order of the split's response tokens.

    Args:
        vocabulary: what the head has beyond it is padding, and not kept.
        progress: called with (examples done, of) after each batch.
        keep: where each batch's rows are kept.
    """
    head = head_of(model, vocabulary.size)
    k = min(settings.top_k or vocabulary.size, vocabulary.size)
    shapes = _empty_rows(0, k, vocabulary.size, settings)
    rows = int(split.responses.offsets[-1])
    stored = {
        name: MappedRows.new(folder, name, (rows, *like.shape[1:]), like.numpy().dtype) for name, like in shapes.items()
    }
    done = 0
    everything, boundaries = np.arange(len(split.ids)), length_boundaries(model)
    for batch in micro_batches(split, everything, batch_tokens, vocabulary.pad_id, model.device, boundaries):
        made = keep(f"targets/{batch.fingerprint}", partial(_rows, model, head, batch, k, settings))
        for name, values in made.items():
            stored[name][batch.token.numpy()] = values.numpy()
        done += len(batch.places)
        progress(done, len(split.ids))
    for array in stored.values():
        array.sync()
    np.save(folder / "token_hash.npy", token_hashes(split))
    description = {"temperatures": list(settings.temperatures), "vocabulary_size": vocabulary.size, "top_k": k}
    (folder / "targets.json").write_text(json.dumps(description))


def _empty_rows(rows: int, k: int, vocabulary: int, settings: TargetsSettings, pinned: bool = False) -> Tensors:
    empty = partial(torch.empty, pin_memory=pinned)
    made = {"logits": empty(rows, k), "log_z": empty(rows, len(settings.temperatures))}
    return {**made, "ids": empty(rows, k, dtype=torch.int32)} if k < vocabulary else made


def _rows(model: PreTrainedModel, head: Head, batch: MicroBatch, k: int, settings: TargetsSettings) -> Tensors:
    """The rows of a batch's R response tokens."""
    on_gpu = batch.labels.is_cuda
    # Of a whole vocabulary a batch may be gigabytes, too much to be pinned.
    made = _empty_rows(len(batch.token), k, head.vocabulary, settings, pinned=on_gpu and k < head.vocabulary)
    hidden = hidden_states(model, batch.input_ids)[batch.row, batch.column]
    for part, make_logits in logits_in_chunks(hidden, head):
        logits = make_logits()
        for t, temperature in enumerate(settings.temperatures):
            log_z = torch.logsumexp(tempered(logits, temperature), dim=-1)
            made["log_z"][part, t].copy_(log_z, non_blocking=True)
        if "ids" in made:
            logits, ids = logits.topk(k, dim=-1)
            made["ids"][part].copy_(ids.to(torch.int32), non_blocking=True)
        made["logits"][part].copy_(logits, non_blocking=True)
    if on_gpu:
        torch.cuda.synchronize()
    return made


@dataclass(frozen=True)
class Targets:
    """Stored targets of one teacher at one temperature, on disk but for the rows that are asked for.

    Attributes:
        logits: shape [N, k].
        ids: shape [N, k]; None where the whole vocabulary is stored.
        log_z: shape [N, temperatures].
        temperature: of `log_z`'s, the one that is read.
        column: where that stands in it.
    """

    logits: MappedRows
    ids: MappedRows | None
    log_z: MappedRows
    temperature: float
    column: int
    vocabulary_size: int

    @property
    def model(self) -> None:
        """Nobody reads along."""

    def at(self, tokens: torch.Tensor, device: torch.device) -> TargetRows:
        """The rows of these response tokens (their numbers in the split)."""
        rows = tokens.numpy()

        def tensor(stored: MappedRows) -> torch.Tensor:
            return moved(torch.from_numpy(stored[rows]), device)

        ids = None if self.ids is None else tensor(self.ids).long()
        return TargetRows(ids, tensor(self.logits), tensor(self.log_z)[:, self.column])

    def rows_of(self, batch: MicroBatch, mine: torch.Tensor) -> RowsAt:
        """Rows by place among the batch's response tokens."""
        return lambda places: self.at(batch.token[places], batch.labels.device)


def read_targets(folder: Path, split: Split, temperature: float) -> Targets:
    """Opens targets for the split that they were made on.

    Raises:
        ValueError: the split has other examples or other tokens, or log Z was not stored at `temperature`.
    """
    description = json.loads((folder / "targets.json").read_text())
    if not np.array_equal(np.load(folder / "token_hash.npy"), token_hashes(split)):
        raise ValueError(f"{folder} was made on other examples or with another tokenizer")
    logits, log_z = (MappedRows(folder, name) for name in ("logits", "log_z"))
    if len(logits) != split.responses.offsets[-1]:
        raise ValueError(f"{folder} holds {len(logits)} rows for {split.responses.offsets[-1]} tokens")
    temperatures, vocabulary = description["temperatures"], description["vocabulary_size"]
    if temperature not in temperatures:
        raise ValueError(f"{folder} holds log Z at {temperatures}, not at {temperature:g}")
    ids = MappedRows(folder, "ids") if description["top_k"] < vocabulary else None
    return Targets(logits, ids, log_z, temperature, temperatures.index(temperature), vocabulary)
