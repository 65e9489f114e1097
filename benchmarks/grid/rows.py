"""Tokenised rows as Trainer and a likelihood want them: padded batches of rows of like length."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class Rows:
    """Attributes:
    rows: (id, prompt's token ids, response's) of each example.
    """

    rows: list[tuple[str, list[int], list[int]]]
    tokenizer: PreTrainedTokenizerFast

    @classmethod
    def read(cls, corpus: Path, split: str, tokenizer: PreTrainedTokenizerFast) -> Rows:
        table = pq.read_table(corpus / f"{split}.parquet", columns=["id", "prompt_ids", "response_ids"])
        return cls([tuple(row.values()) for row in table.to_pylist()], tokenizer)

    def only(self, ids: list[str]) -> Rows:
        return Rows([row for row in self.rows if row[0] in ids], self.tokenizer)

    def length(self, place: int) -> int:
        _, prompt, response = self.rows[place]
        return len(prompt) + len(response)

    def by_length(self, places: list[int], parts: int) -> list[list[int]]:
        """`parts` slices of as many rows each, the longest first."""
        ordered = sorted(places, key=self.length, reverse=True)
        return [part.tolist() for part in np.array_split(np.array(ordered), parts)]

    def collate(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The rows of one slice."""
        (item,) = items
        return {**self.padded(item["rows"]), "ids": [self.rows[i][0] for i in item["rows"]], "teacher": item["teacher"]}

    def padded(self, places: list[int]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask` and `labels` [rows, longest]; labels of responses alone."""
        width = max(map(self.length, places))
        shape = (len(places), width)
        batch = {
            "input_ids": torch.full(shape, self.tokenizer.pad_token_id),
            "attention_mask": torch.zeros(shape, dtype=torch.long),
            "labels": torch.full(shape, -100),
        }
        for i, (_, prompt, response) in enumerate(self.rows[place] for place in places):
            whole = len(prompt) + len(response)
            batch["input_ids"][i, :whole] = torch.tensor(prompt + response)
            batch["attention_mask"][i, :whole] = 1
            batch["labels"][i, len(prompt) : whole] = torch.tensor(response)
        return batch
