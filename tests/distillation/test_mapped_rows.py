"""Rows on disk in files of bounded size: equal to an array in memory, of which nothing stays there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TOKENS
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation import files
from clpd_bench.distillation.files import MappedRows
from clpd_bench.distillation.targets import read_targets, write_targets
from clpd_bench.settings.parts.loss import TargetsSettings

ROWS, WIDTH = 53, 7


@pytest.mark.parametrize("file_bytes", [1, 4 * WIDTH, 10 * 4 * WIDTH + 3, 53 * 4 * WIDTH, 2**30])
@pytest.mark.parametrize("width", [(WIDTH,), ()])
def test_rows_are_those_of_an_array_whatever_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, file_bytes: int, width: tuple[int, ...]
) -> None:
    monkeypatch.setattr(files, "FILE_BYTES", file_bytes)
    values = rng.normal(size=(ROWS, *width)).astype(np.float32)
    made = MappedRows.new(tmp_path, "x", values.shape, np.float32)
    for rows in np.array_split(rng.permutation(ROWS), 6):
        made[rows] = values[rows]
    made.sync()
    again = MappedRows(tmp_path, "x")
    assert len(again) == ROWS
    assert again.dtype == np.float32
    for rows in (np.arange(ROWS), rng.integers(0, ROWS, 90), np.array([52, 0, 52]), np.array([], dtype=np.int64)):
        np.testing.assert_array_equal(again[rows], values[rows])
    row = values[0].nbytes
    for file in tmp_path.iterdir():
        assert file.stat().st_size <= max(file_bytes, row) + 128
    assert len(list(tmp_path.iterdir())) == -(-ROWS // max(1, file_bytes // row))


def test_files_are_mapped_and_not_read(tmp_path: Path) -> None:
    MappedRows.new(tmp_path, "x", (ROWS, WIDTH), np.float32)
    rows = MappedRows(tmp_path, "x")
    assert isinstance(rows._map(0), np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        rows[np.array([0])] = np.zeros((1, WIDTH))


def resident(kind: str) -> int:
    """Bytes of this process in memory: `RssAnon`, its own, or `RssFile`, of files."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith(kind)).split()[1])


@pytest.mark.skipif("RssAnon" not in Path("/proc/self/status").read_text(), reason="the kernel does not tell")
def test_memory_does_not_grow_with_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 MB written and read 1 MB at a time."""
    monkeypatch.setattr(files, "FILE_BYTES", 2**25)
    before = [resident(kind) for kind in ("RssAnon", "RssFile")]
    made = MappedRows.new(tmp_path, "x", (200, 2**18), np.float32)
    for i in range(200):
        made[np.array([i])] = np.full((1, 2**18), i, dtype=np.float32)
    again = MappedRows(tmp_path, "x")
    assert [float(again[np.array([i])][0, -1]) for i in range(200)] == [float(i) for i in range(200)]
    after = [resident(kind) for kind in ("RssAnon", "RssFile")]
    assert max(b - a for a, b in zip(before, after, strict=True)) < 2**25


@pytest.mark.parametrize("top_k", [None, 5])
def test_targets_in_many_files_are_those_in_one(
    teachers: list[PreTrainedModel], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top_k: int | None
) -> None:
    everything, found = torch.arange(int(split.responses.offsets[-1])), []
    for name, file_bytes in (("one", 2**30), ("many", 100)):
        monkeypatch.setattr(files, "FILE_BYTES", file_bytes)
        folder = tmp_path / name
        folder.mkdir()
        settings = TargetsSettings(top_k=top_k)
        write_targets(teachers[0], split, settings, 40, TOKENS, folder, lambda done, of: None)
        found.append(read_targets(folder, split, 1.0).at(everything, torch.device("cpu")))
    one, many = found
    assert torch.equal(one.logits, many.logits)
    assert torch.equal(one.log_z, many.log_z)
    if top_k:
        assert one.ids is not None
        assert many.ids is not None
        assert torch.equal(one.ids, many.ids)
    assert len(list((tmp_path / "one").glob("*.npy"))) == (4 if top_k else 3)
    assert len(list((tmp_path / "many").glob("*.npy"))) > 10
