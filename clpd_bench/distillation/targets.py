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
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.chunked import logits_in_chunks
from clpd_bench.distillation.divergences import TargetRows
from clpd_bench.distillation.models import head_weight, hidden_states
from clpd_bench.distillation.shards import Keep, Tensors, compute
from clpd_bench.settings.loss import TargetsSettings


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
    pad_id: int,
    folder: Path,
    progress: Callable[[int, int], None],
    keep: Keep = compute,
) -> None:
    """Runs the teacher over a split; rows stand in the order of the split's response tokens.

    Args:
        progress: told (examples done, of) after each batch.
        keep: where each batch's rows are kept.
    """
    weight = head_weight(model)
    vocabulary = weight.shape[0]
    k = min(settings.top_k or vocabulary, vocabulary)
    stored = _empty_rows(int(split.responses.offsets[-1]), k, vocabulary, settings)
    done = 0
    for batch in micro_batches(split, np.arange(len(split.ids)), batch_tokens, pad_id, weight.device):
        rows = keep(f"targets/{batch.fingerprint}", partial(_rows, model, batch, k, settings))
        for name, values in rows.items():
            stored[name][batch.token] = values
        done += len(batch.places)
        progress(done, len(split.ids))
    stored["token_hash"] = torch.from_numpy(token_hashes(split))
    save_file(stored, folder / "targets.safetensors")
    description = {"temperatures": list(settings.temperatures), "vocabulary_size": vocabulary, "top_k": k}
    (folder / "targets.json").write_text(json.dumps(description))


def _empty_rows(rows: int, k: int, vocabulary: int, settings: TargetsSettings) -> Tensors:
    made = {"logits": torch.empty(rows, k), "log_z": torch.empty(rows, len(settings.temperatures))}
    return {**made, "ids": torch.empty(rows, k, dtype=torch.int32)} if k < vocabulary else made


def _rows(model: PreTrainedModel, batch: MicroBatch, k: int, settings: TargetsSettings) -> Tensors:
    """The rows of a batch's R response tokens."""
    weight = head_weight(model)
    made = _empty_rows(len(batch.token), k, weight.shape[0], settings)
    hidden = hidden_states(model, batch.input_ids)[batch.row, batch.column]
    for part, make_logits in logits_in_chunks(hidden, weight):
        logits = make_logits()
        for t, temperature in enumerate(settings.temperatures):
            made["log_z"][part, t] = torch.logsumexp(logits / temperature, dim=-1).cpu()
        if "ids" in made:
            logits, ids = logits.topk(k, dim=-1)
            made["ids"][part] = ids.to(torch.int32).cpu()
        made["logits"][part] = logits.cpu()
    return made


@dataclass(frozen=True)
class Targets:
    """Stored targets of one teacher at one temperature."""

    rows: TargetRows
    vocabulary_size: int

    def at(self, tokens: torch.Tensor, device: torch.device) -> TargetRows:
        """The rows of these response tokens (their numbers in the split)."""
        ids = None if self.rows.ids is None else self.rows.ids[tokens].to(device, torch.int64)
        return TargetRows(ids, self.rows.logits[tokens].to(device), self.rows.log_z[tokens].to(device))


def read_targets(folder: Path, split: Split, temperature: float) -> Targets:
    """Opens targets for the split that they were made on.

    Raises:
        ValueError: the split has other examples or other tokens, or log Z was not stored at `temperature`.
    """
    description = json.loads((folder / "targets.json").read_text())
    stored = load_file(folder / "targets.safetensors")
    if not np.array_equal(stored["token_hash"].numpy(), token_hashes(split)):
        raise ValueError(f"{folder} was made on other examples or with another tokenizer")
    if len(stored["logits"]) != split.responses.offsets[-1]:
        raise ValueError(f"{folder} holds {len(stored['logits'])} rows for {split.responses.offsets[-1]} tokens")
    if temperature not in description["temperatures"]:
        raise ValueError(f"{folder} holds log Z at {description['temperatures']}, not at {temperature:g}")
    log_z = stored["log_z"][:, description["temperatures"].index(temperature)]
    return Targets(TargetRows(stored.get("ids"), stored["logits"], log_z), description["vocabulary_size"])
