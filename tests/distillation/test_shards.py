"""Work that was stopped or killed goes on from its shards, to the bytes of work that was not."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import PAD, TOKENS, split_from
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation import likelihood, shards, targets
from clpd_bench.distillation.batches import MicroBatch, micro_batches
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.head import Head
from clpd_bench.distillation.shards import Shards, Tensors
from clpd_bench.errors import Interrupted
from clpd_bench.settings.parts.loss import TargetsSettings

BATCH_TOKENS = 40


class Killed(BaseException):
    pass


class Work:
    """Targets of one teacher, in as many attempts as are asked for, each with a folder of its own.

    Attributes:
        computed: the number of rows of each batch that went through the teacher, by any attempt.
        told: how often an attempt said that it added a shard.
    """

    def __init__(self, model: PreTrainedModel, split: Split, root: Path) -> None:
        self.model, self.split, self.root = model, split, root
        self.attempts: list[Path] = []
        self.computed: list[int] = []
        self.told = 0
        self.kill_at: int | None = None

    def __call__(self, *, stop_at: int | None = None, batch_tokens: int = BATCH_TOKENS, top_k: int | None = 5) -> bytes:
        """The bytes written by an attempt that is asked to stop once `stop_at` batches have been computed."""
        earlier = self.attempts[::-1]
        self.attempts.append(self.root / f"attempt-{len(self.attempts) + 1}")

        def tell() -> None:
            self.told += 1

        kept = Shards(Context(self.attempts[-1], earlier, lambda: len(self.computed) == stop_at, checkpointed=tell))
        return self.write(kept.keep, batch_tokens, top_k)

    def write(
        self, keep: shards.Keep = shards.compute, batch_tokens: int = BATCH_TOKENS, top_k: int | None = 5
    ) -> bytes:
        settings = TargetsSettings(top_k=top_k, temperatures=(1.0, 2.0))
        out = self.root / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        targets.write_targets(self.model, self.split, settings, batch_tokens, TOKENS, out, lambda done, of: None, keep)
        return b"".join(file.read_bytes() for file in sorted(out.iterdir()))

    def files(self) -> dict[Path, str]:
        """Hashes of all that the attempts left."""
        return {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in self.root.glob("attempt-*/*")}


@pytest.fixture
def work(teachers: list[PreTrainedModel], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work(teachers[1], split, tmp_path)
    rows = targets._rows

    def counted(model: PreTrainedModel, head: Head, batch: MicroBatch, k: int, settings: TargetsSettings) -> Tensors:
        if len(made.computed) == made.kill_at:
            raise Killed
        made.computed.append(len(batch.places))
        return rows(model, head, batch, k, settings)

    monkeypatch.setattr(targets, "_rows", counted)
    return made


@pytest.fixture
def batches(split: Split) -> list[int]:
    """The number of rows of each batch."""
    cut = micro_batches(split, np.arange(len(split.ids)), BATCH_TOKENS, PAD, torch.device("cpu"))
    sizes = [len(batch.places) for batch in cut]
    assert len(sizes) >= 4
    return sizes


@pytest.mark.parametrize("top_k", [None, 5])
def test_interrupted_targets_resume_to_the_same_bytes(work: Work, batches: list[int], top_k: int | None) -> None:
    """Stopped after every batch: the last attempt combines the shards of all before it, which stay as they were."""
    whole = work.write(top_k=top_k)
    work.computed.clear()
    for done in range(1, len(batches) + 1):
        before = work.files()
        with pytest.raises(Interrupted):
            work(stop_at=done, top_k=top_k)
        assert work.computed == batches[:done]
        assert work.told == done
        assert before.items() < work.files().items()
    assert work(top_k=top_k) == whole
    assert work.computed == batches


def test_killed_attempt_loses_no_more_than_what_was_not_saved_yet(
    work: Work, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = work.write()
    for limit in ("SAVE_SECONDS", "SAVE_BYTES"):
        work.computed.clear()
        work.attempts = []
        shutil.rmtree(work.root)
        with monkeypatch.context() as patch:
            patch.setattr(shards, limit, 0)
            work.kill_at = 3
            with pytest.raises(Killed):
                work()
        work.kill_at = None
        assert work() == whole
        assert work.computed == batches, limit


def test_short_work_writes_no_shard(work: Work) -> None:
    work()
    assert work.files() == {}
    assert work.told == 0


def _flip(shard: Path) -> None:
    data = bytearray(shard.read_bytes())
    data[-3] ^= 1
    shard.write_bytes(bytes(data))


def _cut(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-5])


def _half(shard: Path) -> None:
    shard.rename(shard.with_name("making-shard"))


@pytest.mark.parametrize("damage", [_flip, _cut, _half, Path.unlink])
def test_damaged_shard_is_computed_again(work: Work, batches: list[int], damage: Callable[[Path], None]) -> None:
    whole = work.write()
    work.computed.clear()
    for done in (1, 3):
        with pytest.raises(Interrupted):
            work(stop_at=done)
    (second,) = work.attempts[1].iterdir()
    damage(second)
    assert work() == whole
    assert work.computed == [*batches[:3], *batches[1:]]


def test_shard_that_vanishes_after_it_was_found_is_computed_again(
    work: Work, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow attempt that was taken for dead publishes, and drops its shards under our hands."""
    whole = work.write()
    work.computed.clear()
    with pytest.raises(Interrupted):
        work(stop_at=2)
    read = Shards._read

    def late(self: Shards, unit: str) -> Tensors | None:
        shutil.rmtree(work.attempts[0], ignore_errors=True)
        return read(self, unit)

    monkeypatch.setattr(Shards, "_read", late)
    assert work() == whole
    assert work.computed == [*batches[:2], *batches]


@pytest.mark.parametrize(("other", "equal"), [(1, 0), (30, 1), (10**6, 0)])
def test_shards_of_another_batch_size_serve_only_equal_batches(
    work: Work, batches: list[int], other: int, equal: int
) -> None:
    """The size of a batch is in no key, and it changes last bits: what is written is what its own batches make."""
    whole = work.write(batch_tokens=other)
    needed = work.computed.copy()
    work.computed.clear()
    with pytest.raises(Interrupted):
        work(stop_at=len(batches))
    assert work(batch_tokens=other) == whole
    assert work.computed == [*batches, *needed[equal:]]


def test_interrupted_scores_resume_to_the_same_bits(
    work: Work, split: Split, tmp_path: Path, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sums, computed = likelihood._sums, []
    monkeypatch.setattr(likelihood, "_sums", lambda *given: (computed.append(given), sums(*given))[1])
    whole = likelihood.score(work.model, split, BATCH_TOKENS, TOKENS)
    computed.clear()
    folders: list[Path] = []
    told: list[tuple[int, int]] = []

    def attempt(stop_at: int | None) -> likelihood.Scores:
        kept = Shards(Context(tmp_path / f"{len(folders)}", folders[::-1], lambda: len(computed) == stop_at))
        folders.append(tmp_path / f"{len(folders)}")
        return likelihood.score(work.model, split, BATCH_TOKENS, TOKENS, kept.keep, lambda *told_: told.append(told_))

    for done in range(1, len(batches) + 1):
        with pytest.raises(Interrupted):
            attempt(done)
    told.clear()
    resumed = attempt(None)
    assert len(computed) == len(batches)
    assert resumed.response_loss.tobytes() == whole.response_loss.tobytes()
    assert resumed.sequence_accuracy.tobytes() == whole.sequence_accuracy.tobytes()
    assert told == [(int(done), len(split.ids)) for done in np.cumsum(batches)]


def test_batches_that_differ_in_any_token_or_in_padding_have_other_fingerprints() -> None:
    """The last response token above all: it is predicted, and no input."""

    def fingerprint(prompt: list[int], response: list[int], pad_id: int = PAD, longest: int = 9) -> str:
        prompts = [np.array(prompt, dtype=np.int32), np.full(4, 7, dtype=np.int32)]
        responses = [np.array(response, dtype=np.int32), np.full(longest - 4, 8, dtype=np.int32)]
        whole = split_from(prompts, responses)
        (batch,) = micro_batches(whole, np.arange(2), 10**6, pad_id, torch.device("cpu"))
        return batch.fingerprint

    one = fingerprint([5, 6], [7, 8])
    assert one == fingerprint([5, 6], [7, 8])
    others = [
        fingerprint([5, 7], [7, 8]),
        fingerprint([5, 6], [6, 8]),
        fingerprint([5, 6], [7, 9]),
        fingerprint([5, 6, 7], [8]),
        fingerprint([5, 6], [7, 8], longest=10),
        fingerprint([5, 6], [7, 8], pad_id=PAD + 1),
    ]
    assert len({one, *others}) == 7
