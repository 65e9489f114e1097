"""What a difficulty job writes: counts of steps, a model's own scores, what length leaves of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from clpd_bench.corpus.build import build
from clpd_bench.corpus.reader import read_difficulty, read_split
from clpd_bench.curriculum import Streams, difficulty_buckets
from clpd_bench.distillation.context import Context
from clpd_bench.distillation.models import load_model, new_model, save_model
from clpd_bench.jobs import difficulty
from clpd_bench.jobs.body import Measured
from clpd_bench.settings.parts.corpus import CorpusSettings
from clpd_bench.settings.parts.model import Llama
from clpd_bench.settings.specs import DifficultySpec

SUMS = {"name": "chained_sums", "operations": [1, 3], "train": 30, "validation": 6, "test": 8}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    folders = {"corpus": root / "corpus", "model": root / "model"}
    for folder in folders.values():
        folder.mkdir()
    settings = {"source": SUMS, "tokenizer": "characters", "answer_marker": ":"}
    build(CorpusSettings.model_validate(settings), folders["corpus"], None)
    tokenizer = AutoTokenizer.from_pretrained(str(folders["corpus"] / "tokenizer"))
    architecture = Llama(name="llama", hidden_size=16, num_attention_heads=2)
    save_model(new_model(architecture, tokenizer, Streams(3)), tokenizer, folders["model"])
    return folders


def made(metric: str, inputs: dict[str, Path], out: Path) -> Measured:
    return difficulty.run(DifficultySpec.model_validate({"difficulty": metric}), inputs, out, Context(out))


@pytest.mark.parametrize(
    ("rationale", "lines", "sentences", "equations"),
    [
        ("", 0, 0, 0),
        ("3+4=0;0-2=5", 1, 1, 2),
        ("He has 2.5 apples. She takes 1.5! How many?", 1, 3, 0),
        ("2*3 = 6\n\n 6+1 = 7 \n", 2, 1, 2),
        ("One. Two", 1, 2, 0),
        ("   \n ", 0, 0, 0),
    ],
)
def test_steps_are_counted_by_what_the_name_says(rationale: str, lines: int, sentences: int, equations: int) -> None:
    counted = [difficulty.count_steps(rationale, by) for by in ("lines", "sentences", "equations")]
    assert counted == [lines, sentences, equations]


@pytest.mark.parametrize(
    ("rationale", "sentences"),
    [
        pytest.param("今天有3个苹果。她又买了2.5个！一共多少？5.5个。", 4, id="Chinese"),
        pytest.param("答えは３．５です。5を足す。「終わり。」と言った。", 4, id="Japanese"),
        pytest.param("राम के पास 3.5 सेब हैं। कितने हैं? दो॥", 3, id="Hindi"),
        pytest.param("وہ گیا۔ کتنے ہیں؟ پانچ۔", 3, id="Urdu"),
        pytest.param("لديه 2.5 كغ. كم؟ ثلاثة.", 3, id="Arabic"),
        pytest.param("አበበ ሦስት አለው። ስንት ነው፧ ሁለት።", 3, id="Amharic"),
        pytest.param("သူမှာ ၃ လုံးရှိတယ်။ ဘယ်လောက်လဲ။", 2, id="Burmese"),
        pytest.param("Ողջույն։ Լավ։", 2, id="Armenian"),
        pytest.param('He said "Go." Then (she left.) Done… ok', 4, id="closing quotes and brackets"),
        pytest.param("(5!)=120, f(x).y, 3.14 ... and. so", 3, id="stops within mathematics"),
    ],
)
def test_sentences_end_at_the_stops_of_their_script(rationale: str, sentences: int) -> None:
    assert difficulty.count_steps(rationale, "sentences") == sentences


@pytest.mark.parametrize("split_name", ["train", "validation", "test"])
def test_steps_of_a_chained_sum_are_its_operations(inputs: dict[str, Path], tmp_path: Path, split_name: str) -> None:
    made("cot_steps:equations", inputs, tmp_path)
    split = read_split(inputs["corpus"], split_name)
    assert read_difficulty(tmp_path, split_name).tolist() == split.numbers("column.operations").tolist()


@pytest.mark.parametrize("metric", ["student_loss:", "teacher_loss:"])
def test_a_models_loss_is_its_mean_nats_a_response_token(inputs: dict[str, Path], tmp_path: Path, metric: str) -> None:
    """Example by example through transformers' own head; the prompt is no part of it."""
    measured = made(metric, inputs, tmp_path)
    model = load_model(inputs["model"]).double().eval()
    tokens = 0
    for name in ("train", "validation", "test"):
        split, found = read_split(inputs["corpus"], name), read_difficulty(tmp_path, name)
        tokens += int(split.tokens.sum())
        for i in range(len(split.ids)):
            ids = torch.from_numpy(np.concatenate([split.prompts[i], split.responses[i]]).astype(np.int64))
            with torch.no_grad():
                log_q = model(input_ids=ids[None]).logits[0, :-1].log_softmax(-1)
            nll = -log_q[torch.arange(len(ids) - 1), ids[1:]][len(split.prompts[i]) - 1 :]
            assert found[i] == pytest.approx(float(nll.mean()), rel=1e-5)
    assert measured.tokens == tokens
    assert measured.flops > 0


def test_a_residual_is_uncorrelated_with_length_and_fitted_on_training_data(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    whole, rest = tmp_path / "whole", tmp_path / "rest"
    for out, metric in ((whole, "student_loss:"), (rest, "length_residual:student_loss:")):
        out.mkdir()
        made(metric, inputs, out)
    train = read_split(inputs["corpus"], "train").responses.lengths
    line = np.polyfit(train, read_difficulty(whole, "train"), 1)
    for name in ("train", "validation", "test"):
        lengths = read_split(inputs["corpus"], name).responses.lengths
        expected = read_difficulty(whole, name) - np.polyval(line, lengths)
        np.testing.assert_allclose(read_difficulty(rest, name), expected, rtol=0, atol=1e-8)
    residual = read_difficulty(rest, "train")
    assert abs(np.corrcoef(train, residual)[0, 1]) < 1e-6
    assert residual.std() > 1e-3


def test_a_difficulty_that_is_length_leaves_ties_and_no_rounding_errors(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buckets are then by id, and not by the last digits of a float."""

    def length(metric: object, splits: difficulty.Splits, *rest: object) -> tuple[difficulty.Values, Measured]:
        return {name: 0.1 * split.responses.lengths + 0.3 for name, split in splits.items()}, Measured()

    monkeypatch.setitem(difficulty.DIFFICULTIES, "cot_tokens", length)
    made("length_residual:cot_tokens", inputs, tmp_path)
    split, found = read_split(inputs["corpus"], "train"), read_difficulty(tmp_path, "train")
    assert set(np.abs(found).tolist()) == {0.0}
    buckets = difficulty_buckets(split.ids, found, split.tokens, 3)
    assert buckets.tolist() == sorted(buckets.tolist())


def test_responses_of_one_length_explain_nothing() -> None:
    slope, intercept = difficulty.least_squares(np.full(4, 7.0), np.array([1.0, 2.0, 3.0, 6.0]))
    assert (slope, intercept) == (0.0, 3.0)
