"""An evaluation that was stopped goes on with the batches that were not done, and finds the same items."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from evaluated import EVALUATION
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer, PreTrainedModel

from clpd_bench.distillation import likelihood, shards
from clpd_bench.distillation.batches import MicroBatch
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.models import load_model
from clpd_bench.distillation.shards import Shards
from clpd_bench.errors import Interrupted
from clpd_bench.evaluation.harness import KeptHFLM
from clpd_bench.jobs import evaluation

Batches = list[tuple[str, ...]]


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """The contexts of each batch that goes through the model, in order."""
    batches: Batches = []
    encode = HFLM.tok_batch_encode

    def recorded(self: HFLM, strings: Any, **settings: Any) -> Any:
        batches.append(tuple(strings))
        return encode(self, strings, **settings)

    monkeypatch.setattr(HFLM, "tok_batch_encode", recorded)
    return batches


def requests() -> list[Any]:
    """Of few lengths, so that texts decide, some of them twice, in no order, under two sets of settings."""
    dice = random.Random(3)
    texts = ["".join(dice.choices("0123456789+-=", k=dice.randint(2, 6))) for _ in range(20)]
    texts += texts[3:7]
    settings = [{"until": ["\n"], "max_gen_toks": n, "do_sample": False} for n in (5, 9)]
    return [SimpleNamespace(args=(text, settings[dice.random() < 0.3]), doc_id=i) for i, text in enumerate(texts)]


def settings(folders: dict[str, Path]) -> dict[str, Any]:
    model = load_model(folders["model"], torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(folders["model"]))
    return {"pretrained": model, "tokenizer": tokenizer, "batch_size": 3, "max_length": 64, "device": "cpu"}


def test_batches_are_composed_as_lm_eval_composes_them(
    folders: dict[str, Path], generated: Batches, tmp_path: Path
) -> None:
    """Uninterrupted, and with an interruption after each batch."""
    given = settings(folders)
    plain = HFLM(**given).generate_until(requests(), disable_tqdm=True)
    composed = generated.copy()
    assert len(set(plain)) > 5, "or else equality says little"
    told: list[tuple[int, int]] = []

    def attempt(keep: shards.Keep) -> tuple[list[str], dict[int, bool]]:
        model = KeptHFLM(keep, lambda *now: told.append(now), apart=True, **given)
        return model.generate_until(requests()), model.truncated

    generated.clear()
    texts, truncated = attempt(shards.compute)
    assert texts == plain
    assert {*truncated.values()} == {False, True}, "or else equality says little"
    assert generated == composed
    assert told[-1] == (24, 24)
    generated.clear()
    for number in range(1, len(composed) + 1):
        earlier = [tmp_path / f"{n}" for n in range(number - 1, 0, -1)]
        enough = Shards(Context(tmp_path / f"{number}", earlier, lambda n=number: len(generated) == n))
        with pytest.raises(Interrupted):
            attempt(enough.keep)
    everything = [tmp_path / f"{n}" for n in range(len(composed), 0, -1)]
    last = Shards(Context(tmp_path / "last", everything))
    assert attempt(last.keep) == (plain, truncated)
    assert generated == composed


def run(
    folders: dict[str, Path],
    out: Path,
    earlier: list[Path] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> bytes:
    """The bytes of the items."""
    out.mkdir(parents=True)
    context = Context(out.with_name(f"{out.name}-checkpoints"), earlier or [], should_stop, progress)
    evaluation.run(EVALUATION, folders, out, context)
    return (out / "items.parquet").read_bytes()


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each batch whose loss is computed."""
    rows: list[int] = []
    sums = likelihood._sums

    def recorded(model: PreTrainedModel, batch: MicroBatch, vocabulary: int) -> shards.Tensors:
        rows.append(len(batch.places))
        return sums(model, batch, vocabulary)

    monkeypatch.setattr(likelihood, "_sums", recorded)
    monkeypatch.setattr(evaluation, "LOSS_BATCH_TOKENS", 60)
    return rows


def test_items_of_a_resumed_evaluation_equal_uninterrupted_ones(
    folders: dict[str, Path], generated: Batches, scored: list[int], tmp_path: Path
) -> None:
    """Stopped after each batch of either pass, and each time going on from all attempts before."""
    whole = run(folders, tmp_path / "whole")
    composed, rows = generated.copy(), scored.copy()
    assert (len(composed), sum(rows)) == (3, 10)
    generated.clear()
    scored.clear()
    earlier: list[Path] = []
    for number in range(1, len(composed) + len(rows) + 1):
        with pytest.raises(Interrupted):
            run(folders, tmp_path / f"{number}", earlier, lambda n=number: len(generated) + len(scored) == n)
        earlier.insert(0, tmp_path / f"{number}-checkpoints")
    assert run(folders, tmp_path / "last", earlier) == whole
    assert (generated, scored) == (composed, rows)


def test_finished_batches_of_an_evaluation_are_not_generated_again(
    folders: dict[str, Path], generated: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, too, as far as they were saved by then."""
    run(folders, tmp_path / "whole")
    composed = generated.copy()
    generated.clear()
    generate = KeptHFLM._generate

    def killed(self: KeptHFLM, batch: Any) -> shards.Tensors:
        if len(generated) == 2:
            raise KeyboardInterrupt
        return generate(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(shards, "SAVE_SECONDS", 0)
        patch.setattr(KeptHFLM, "_generate", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folders, tmp_path / "killed")
    assert generated == composed[:2]
    run(folders, tmp_path / "resumed", [tmp_path / "killed-checkpoints"])
    assert generated == composed


def test_progress_counts_items_once_a_pass(folders: dict[str, Path], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(folders, tmp_path / "out", progress=lambda done, of: told.append((done, of)))
    assert told == [(4, 20), (8, 20), (10, 20), (20, 20)]
