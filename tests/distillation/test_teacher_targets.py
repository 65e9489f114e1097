"""Targets on disk are the teacher's own outputs, row for row, and are refused where they would not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TOKENS, ragged, random_split, response_logits
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.targets import read_targets, write_targets
from clpd_bench.settings.parts.loss import TargetsSettings

TEMPERATURES = (1.0, 2.0, 3.5)
CPU = torch.device("cpu")


def write(model: PreTrainedModel, split: Split, folder: Path, top_k: int | None = None, batch_tokens: int = 40) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    settings = TargetsSettings(top_k=top_k, temperatures=TEMPERATURES)
    write_targets(model, split, settings, batch_tokens, TOKENS, folder, lambda done, of: None)
    return folder


def tokens_of(split: Split, example: int) -> torch.Tensor:
    return torch.arange(int(split.responses.offsets[example]), int(split.responses.offsets[example + 1]))


def reordered(split: Split, order: list[int], ids: list[int] | None = None) -> Split:
    prompts, responses = ([part[i] for i in order] for part in (split.prompts, split.responses))
    return Split(split.ids[ids if ids is not None else order], ragged(prompts), ragged(responses), split.table)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize(
    ("top_k", "batch_tokens"), [(None, 1), (None, 10**6), (1, 40), (5, 1), (5, 40), (5, 10**6), (23, 40), (1000, 40)]
)
def test_rows_of_each_example_are_the_direct_forward_on_it(
    teachers: list[PreTrainedModel], split: Split, tmp_path: Path, top_k: int | None, batch_tokens: int
) -> None:
    teacher = teachers[1]
    folder = write(teacher, split, tmp_path, top_k, batch_tokens)
    with torch.no_grad():
        alone = [response_logits(teacher, split, example).double() for example in range(len(split.ids))]
    for temperature in TEMPERATURES:
        targets = read_targets(folder, split, temperature)
        for example, logits in enumerate(alone):
            rows = targets.at(tokens_of(split, example), CPU)
            log_z = (logits / temperature).exp().sum(-1).log()
            torch.testing.assert_close(rows.log_z.double(), log_z, rtol=0, atol=1e-5)
            if top_k is None or top_k >= logits.shape[-1]:
                assert rows.ids is None
                torch.testing.assert_close(rows.logits.double(), logits, rtol=0, atol=1e-5)
            else:
                ids = logits.argsort(dim=-1, descending=True)[:, :top_k]
                assert rows.ids is not None
                assert torch.equal(rows.ids, ids)
                torch.testing.assert_close(rows.logits.double(), logits.gather(-1, ids), rtol=0, atol=1e-5)


def test_a_temperature_that_was_not_declared_is_refused(
    teachers: list[PreTrainedModel], split: Split, tmp_path: Path
) -> None:
    folder = write(teachers[0], split, tmp_path, top_k=5)
    for temperature in (0.5, 1.5, 4.0):
        with pytest.raises(ValueError, match=r"log Z at \[1.0, 2.0, 3.5\], not at " + f"{temperature:g}"):
            read_targets(folder, split, temperature)


def test_log_z_of_the_tail_differs_between_temperatures(
    teachers: list[PreTrainedModel], split: Split, tmp_path: Path
) -> None:
    """What the residual is for: the mass outside the top k is another one at each temperature."""
    folder = write(teachers[0], split, tmp_path, top_k=5)
    kept = []
    for temperature in TEMPERATURES:
        rows = read_targets(folder, split, temperature).at(torch.arange(int(split.responses.offsets[-1])), CPU)
        kept.append(float((rows.logits / temperature - rows.log_z[:, None]).exp().sum(-1).mean()))
    assert 1 > kept[0] > kept[1] + 0.05 > kept[2] + 0.1 > 5 / 23


def test_a_corpus_in_another_order_is_refused(teachers: list[PreTrainedModel], split: Split, tmp_path: Path) -> None:
    """Whether its ids move with its examples or stay where they were."""
    folder = write(teachers[0], split, tmp_path)
    order = [1, 0, *range(2, 12)]
    for other in (reordered(split, order), reordered(split, order, ids=list(range(12)))):
        with pytest.raises(ValueError, match="other examples or with another tokenizer"):
            read_targets(folder, other, 1.0)


def test_another_tokenization_of_the_same_texts_is_refused(
    teachers: list[PreTrainedModel], split: Split, tmp_path: Path
) -> None:
    """One prompt token, one response token, or the seam between the two."""
    folder = write(teachers[0], split, tmp_path)
    prompts, responses = ([part[i].copy() for i in range(12)] for part in (split.prompts, split.responses))

    def refused(prompts: list[np.ndarray], responses: list[np.ndarray]) -> None:
        with pytest.raises(ValueError, match="other examples or with another tokenizer"):
            read_targets(folder, Split(split.ids, ragged(prompts), ragged(responses), split.table), 1.0)

    swapped = [p.copy() for p in prompts]
    swapped[4][0] += 1
    refused(swapped, responses)
    swapped = [r.copy() for r in responses]
    swapped[11][0] += 1
    refused(prompts, swapped)
    refused([*prompts[:11], prompts[11][:-1]], [*responses[:11], np.append(prompts[11][-1:], responses[11])])
    read_targets(folder, Split(split.ids, ragged(prompts), ragged(responses), split.table), 1.0)


def test_fewer_or_more_examples_are_refused(teachers: list[PreTrainedModel], split: Split, tmp_path: Path) -> None:
    folder = write(teachers[0], split, tmp_path)
    for other in (reordered(split, list(range(11))), random_split([(2, 2)] * 12)):
        with pytest.raises(ValueError, match="other examples"):
            read_targets(folder, other, 1.0)


def test_progress_counts_examples(teachers: list[PreTrainedModel], split: Split, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_targets(teachers[0], split, TargetsSettings(), 40, TOKENS, tmp_path, lambda done, of: told.append((done, of)))
    assert told[-1] == (12, 12)
    assert told == sorted(told)
