"""Heads with unlike numbers of padded rows over one tokenizer distil; tokenizers that differ never do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained_like import TOKENS, saved, tokenizer
from safetensors.torch import load_file, save_file
from test_training_jobs import do
from tiny import PAD, VOCABULARY, Gradients, assert_same_gradients, fused_step, tiny_model

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.head import MULTIPLE, head_of
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.live import LiveTeacher
from clpd_bench.distillation.models import load_model
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.errors import UserError
from clpd_bench.outside.weights import start_of
from clpd_bench.settings.parts.loss import ForwardKl, TargetsSettings
from clpd_bench.settings.parts.orders import Shuffled
from clpd_bench.settings.parts.pretrained import Local
from clpd_bench.settings.parts.training import Training
from clpd_bench.settings.specs import CorpusSpec, ModelSpec, Supervision, TargetsSpec

KD = Supervision(loss=ForwardKl(name="forward_kl"), order=Shuffled(name="shuffled"), teachers=1)
TRAINING = Training(steps=2, learning_rate=1e-3)


def test_the_vocabulary_ends_with_the_largest_id() -> None:
    assert Vocabulary.of(tokenizer()).size == len(TOKENS)
    sparse = tokenizer()
    sparse.add_tokens(["<later>"])
    assert Vocabulary.of(sparse).size == len(TOKENS) + 1


def brought_in(folder: Path, out: Path) -> Path:
    do("model", ModelSpec(start=start_of(Local(name="local", folder=folder)), seed=0), {}, out)
    return out


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    saved(tmp_path / "tokens")
    settings = {
        "source": {"name": "chained_sums", "operations": [1, 2], "train": 24, "validation": 6, "test": 6},
        "tokenizer": {"name": "of", "model": ""},
        "answer_marker": ":",
        "max_tokens": 40,
    }
    start = start_of(Local(name="local", folder=tmp_path / "tokens"), tokenizer_alone=True)
    do("corpus", CorpusSpec(corpus=settings, tokenizer_of=start), {}, tmp_path / "corpus")  # type: ignore[arg-type]
    return tmp_path / "corpus"


def student(tmp_path: Path, corpus: Path, teacher_rows: int, student_rows: int, loud: bool = False) -> Path:
    """Distilled for two steps; `loud` padding would take all probability if it took part."""
    name = f"{teacher_rows}-{student_rows}-{loud}"
    for who, rows, seed in (("teacher", teacher_rows, 1), ("student", student_rows, 2)):
        folder = tmp_path / f"{who} {name}"
        saved(folder, vocabulary=rows, seed=seed, tie_word_embeddings=False)
        # The rows that mean something are those of the model without padding.
        plain = tmp_path / f"plain {who} {name}"
        saved(plain, vocabulary=len(TOKENS), seed=seed, tie_word_embeddings=False)
        weights, known = load_file(folder / "model.safetensors"), load_file(plain / "model.safetensors")
        for key, value in known.items():
            if value.shape != weights[key].shape:
                weights[key][: len(value)] = value
                weights[key][len(value) :] = 50.0 if loud else 0.0
            else:
                weights[key] = value
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        brought_in(folder, tmp_path / f"{who} of {name}")
    targets = tmp_path / f"targets {name}"
    inputs = {"corpus": corpus, "model": tmp_path / f"teacher of {name}"}
    do("targets", TargetsSpec(targets=TargetsSettings(top_k=8)), inputs, targets)
    out = tmp_path / f"out {name}"
    spec = ModelSpec(training=TRAINING, supervision=KD, seed=0)
    do("model", spec, {"corpus": corpus, "initial": tmp_path / f"student of {name}", "targets.1": targets}, out)
    return out


def test_padded_rows_take_no_part_in_distilling(tmp_path: Path, corpus: Path) -> None:
    """Like Qwen's 151,936 and 152,064 rows: the student is the same whatever stands in the padding, and how much."""
    n = len(TOKENS)
    plain = load_model(student(tmp_path, corpus, n, n))
    for arrangement in ((n + 40, n + 8, False), (n + 8, n + 40, True)):
        padded = load_model(student(tmp_path, corpus, *arrangement))
        for (name, a), b in zip(plain.named_parameters(), padded.parameters(), strict=True):
            torch.testing.assert_close(b[: len(a)], a, rtol=0, atol=1e-6, msg=f"{name} {arrangement}")


def test_scores_are_not_taken_over_the_padding_of_a_head(split: Split) -> None:
    plain, padded = tiny_model(seed=1), tiny_model(seed=1)
    head = padded.get_output_embeddings()
    # One row of each sign, as what the other makes of a hidden state is as far below all logits as this is above.
    loud = torch.tensor([[50.0], [-50.0]]).expand(2, head.in_features)
    wider = torch.nn.Linear(head.in_features, VOCABULARY + 2, bias=False)
    wider.weight = torch.nn.Parameter(torch.cat([head.weight.detach(), loud]))
    padded.set_output_embeddings(wider)
    expected, found = (score(model, split, 64, Vocabulary(VOCABULARY, PAD)) for model in (plain, padded))
    np.testing.assert_allclose(found.response_loss, expected.response_loss, rtol=1e-6)
    assert found.sequence_accuracy.tolist() == expected.sequence_accuracy.tolist()


def test_a_head_of_more_rows_than_tokens_makes_the_same_step_as_one_that_is_cut(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU rows are cut to a multiple."""

    def step() -> tuple[float, Gradients]:
        student, teacher = tiny_model(seed=1, tie_word_embeddings=False).double(), tiny_model(seed=3).double()
        return fused_step(
            student,
            split,
            [0, 1, 2],
            loss=ForwardKl(name="forward_kl"),
            teachers=[1] * 3,
            targets=[LiveTeacher(teacher, VOCABULARY - 4, 1.0)],
            vocabulary=VOCABULARY - 4,
        )

    cut, gradients = step()
    monkeypatch.setitem(MULTIPLE, "cpu", 2)
    assert head_of(tiny_model(), VOCABULARY - 4).weight.shape[0] == VOCABULARY - 3
    whole, same = step()
    assert whole == pytest.approx(cut, rel=1e-12)
    assert_same_gradients(same, gradients)


def test_a_teacher_with_another_tokenizer_is_refused_with_the_token_that_differs(tmp_path: Path, corpus: Path) -> None:
    saved(tmp_path / "other")
    swapped = [*TOKENS]
    swapped[10], swapped[11] = swapped[11], swapped[10]
    tokenizer(swapped).save_pretrained(str(tmp_path / "other"))
    model = brought_in(tmp_path / "other", tmp_path / "model")
    with pytest.raises(UserError) as caught:
        do("targets", TargetsSpec(targets=TargetsSettings()), {"corpus": corpus, "model": model}, tmp_path / "targets")
    told = str(caught.value)
    assert "the teacher has another tokenizer than the corpus" in told
    assert "is number" in told
    assert "take pretrained models that share theirs" in told
