"""A split of a corpus folder, read; and which rows lie together in a padded batch. numpy and pyarrow only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clpd_bench.errors import UserError


@dataclass(frozen=True)
class Ragged:
    """Token lists of many lengths in one flat array; `self[i]` is the i-th."""

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __getitem__(self, i: int) -> NDArray[np.int32]:
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Ragged:
        return cls(np.array([i for one in lists for i in one], np.int32), np.cumsum([0, *map(len, lists)]))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)


@dataclass(frozen=True)
class Split:
    """N examples in the order of their ids.

    Attributes:
        ids: shape [N].
        prompts: token ids of each prompt.
        responses: token ids of each response, the end token last.
        table: all columns, texts among them.
    """

    ids: NDArray[np.str_]
    prompts: Ragged
    responses: Ragged
    table: pa.Table

    @classmethod
    def of(cls, ids: Sequence[str], prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]]) -> Split:
        """Of token ids, the end token last in each response; in ascending order of the examples' ids.

        Raises:
            ValueError: an id stands there twice, or an example has no prompt or no response.
        """
        if len(set(ids)) < len(ids):
            raise ValueError("each example wants an id of its own")
        if not all((*prompts, *responses)):
            raise ValueError("each example wants a prompt and a response")
        order = sorted(range(len(ids)), key=lambda i: ids[i])
        return cls(
            np.array([ids[i] for i in order]),
            Ragged.of([prompts[i] for i in order]),
            Ragged.of([responses[i] for i in order]),
            pa.table({"id": [ids[i] for i in order]}),
        )

    @property
    def tokens(self) -> NDArray[np.int64]:
        """Shape [N]: prompt + response + end."""
        return self.prompts.lengths + self.responses.lengths

    def take(self, places: Sequence[int]) -> Split:
        """The examples at these places alone."""
        return _split(self.table.take(places))

    def texts(self, column: str) -> list[str]:
        """`question`, `prompt`, `response` or `answer` of each example."""
        return list(self.table[column].to_pylist())

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A number column: `rationale_tokens`, or `column.<name>`.

        Raises:
            UserError: there is no such column.
        """
        if column not in self.table.column_names:
            raise UserError("the corpus has no such column", key=column, found=column, allowed=self.table.column_names)
        return np.asarray(_array(_one(self.table[column])), dtype=np.float64)


def read_split(folder: Path, split: str) -> Split:
    """`train`, `validation` or `test` of a corpus folder."""
    return _split(read_table(folder / f"{split}.parquet"))


def _split(table: pa.Table) -> Split:
    return Split(np.array(table["id"].to_pylist()), _ragged(table["prompt_ids"]), _ragged(table["response_ids"]), table)


def read_difficulty(folder: Path, split: str) -> NDArray[np.float64]:
    """Shape [N]: the difficulties that a `difficulty` job left for a split, in the order of its ids."""
    return np.asarray(_array(_one(read_table(folder / f"{split}.parquet")["difficulty"])), dtype=np.float64)


def read_summary(folder: Path) -> dict[str, Any]:
    """Counts and longest lengths by split, and the vocabulary size."""
    summary: dict[str, Any] = json.loads((folder / "corpus.json").read_text())
    return summary


def _ragged(column: pa.ChunkedArray) -> Ragged:
    lists = _one(column)
    lengths = np.asarray(_array(lists.value_lengths()), dtype=np.int64)
    return Ragged(np.asarray(_array(lists.flatten()), dtype=np.int32), np.concatenate([[0], np.cumsum(lengths)]))


def _one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def _array(numbers: pa.Array) -> NDArray[Any]:
    """What `to_numpy` gives, which would import pandas (a second) on its way."""
    return numbers.to_numpy(zero_copy_only=False) if numbers.null_count else np.from_dlpack(numbers)


def read_table(file: Path) -> pa.Table:
    """What `pq.read_table` gives, which would import pandas on its way too.

    Raises:
        UserError: the file is not what was once written.
    """
    try:
        with pq.ParquetFile(file) as opened:
            return opened.read()
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        raise UserError(
            f"is damaged: {str(error).splitlines()[0]}",
            file=file,
            fix="clpd store verify sets aside what is damaged, and the next run makes it again",
        ) from None
