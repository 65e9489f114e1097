"""The loss covers the response and its end token, each predicted from the position before it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import END, PAD, TOKENS, VOCABULARY, assert_same_gradients, fused_step, gradients, random_split, split_from
from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation import batch_loss
from clpd_bench.distillation.batches import micro_batches
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.vocabulary import Vocabulary

CPU = torch.device("cpu")


def huggingface_inputs(split: Split, examples: list[int]) -> dict[str, torch.Tensor]:
    """Right-padded rows with their mask; labels are the ids, and -100 on prompt and padding."""
    width = int(split.tokens[examples].max())
    inputs = {name: torch.full((len(examples), width), fill) for name, fill in (("input_ids", PAD), ("labels", -100))}
    inputs["attention_mask"] = torch.zeros(len(examples), width, dtype=torch.int64)
    for row, e in enumerate(examples):
        prompt, response = (torch.from_numpy(part[e].astype(np.int64)) for part in (split.prompts, split.responses))
        end = len(prompt) + len(response)
        inputs["input_ids"][row, :end] = torch.cat([prompt, response])
        inputs["labels"][row, len(prompt) : end] = response
        inputs["attention_mask"][row, :end] = 1
    return inputs


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("examples", [[0], [2], [3, 7], list(range(12))])
@pytest.mark.parametrize("micro_batch_tokens", [1, 10**6])
def test_step_is_huggingfaces_own_loss_with_prompts_at_minus_100(
    student: PreTrainedModel, split: Split, examples: list[int], micro_batch_tokens: int
) -> None:
    """For one example, and for a batch as the mean over all its response tokens."""
    value, mine = fused_step(student, split, examples, micro_batch_tokens=micro_batch_tokens)
    student.zero_grad()
    reference = student(**huggingface_inputs(split, examples)).loss
    reference.backward()
    # transformers' loss computes in float32, whatever the model.
    assert value == pytest.approx(float(reference.detach()), rel=1e-6)
    assert_same_gradients(mine, gradients(student), tolerance=5e-6)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("batch_tokens", [1, 30, 10**6])
def test_score_is_huggingfaces_own_loss_of_each_example(
    student: PreTrainedModel, split: Split, batch_tokens: int
) -> None:
    scores = score(student, split, batch_tokens, TOKENS)
    with torch.no_grad():
        expected = [float(student(**huggingface_inputs(split, [e])).loss) for e in range(len(split.ids))]
    np.testing.assert_allclose(scores.response_loss, expected, rtol=1e-6)
    assert scores.mean("response_loss") == pytest.approx(np.mean(expected), rel=1e-6)


def test_labels_are_exactly_the_responses_and_their_end_tokens(split: Split) -> None:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for batch in micro_batches(split, np.arange(len(split.ids)), 40, PAD, CPU):
        parts = batch.row, batch.column, batch.labels, batch.token
        for row, column, label, token in zip(*(p.tolist() for p in parts), strict=True):
            example = int(batch.places[row])
            at = column + 1 - len(split.prompts[example])
            assert (
                batch.input_ids[row, : column + 1].tolist()
                == ([*split.prompts[example], *split.responses[example]][: column + 1])
            )
            found.setdefault(example, []).append((at, label, token))
    for example, rows in found.items():
        response = split.responses[example].tolist()
        assert response[-1] == END
        assert [(at, label) for at, label, _ in rows] == list(enumerate(response))
        assert [int(split.responses.values[token]) for _, _, token in rows] == response
        assert [token for _, _, token in rows] == list(range(*split.responses.offsets[example : example + 2]))
    assert sorted(found) == list(range(len(split.ids)))


def test_end_token_is_learnt(student: PreTrainedModel) -> None:
    """Where responses are the end token alone, it is the whole loss."""
    split = random_split([(4, 1), (2, 1)])
    value, _ = fused_step(student, split, [0, 1])
    with torch.no_grad():
        last = [student(input_ids=torch.from_numpy(split.prompts[e])[None].long()).logits[0, -1] for e in (0, 1)]
    assert value == pytest.approx(float(np.mean([-z.log_softmax(-1)[END].item() for z in last])), rel=1e-12)


def test_positions_that_predict_no_response_token_take_no_part(
    student: PreTrainedModel, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not-a-number wherever the next token is prompt or padding changes nothing."""
    examples = list(range(len(split.ids)))
    value, mine = fused_step(student, split, examples, micro_batch_tokens=10**6)
    whole = batch_loss.hidden_states

    def spoilt(model: PreTrainedModel, input_ids: torch.Tensor) -> torch.Tensor:
        states = whole(model, input_ids)
        mask = torch.ones(states.shape[:2], dtype=torch.bool)
        for row, place in enumerate(np.argsort(-split.tokens, kind="stable")):
            mask[row, len(split.prompts[place]) - 1 : split.tokens[place] - 1] = False
        assert mask.sum() == mask.numel() - split.responses.lengths.sum()
        return states.masked_fill(mask[..., None], torch.nan)

    monkeypatch.setattr(batch_loss, "hidden_states", spoilt)
    again, spoilt_gradients = fused_step(student, split, examples, micro_batch_tokens=10**6)
    assert again == value
    assert_same_gradients(spoilt_gradients, mine, tolerance=0)


def test_pad_token_makes_no_difference_not_even_the_end_token(student: PreTrainedModel, split: Split) -> None:
    examples = list(range(len(split.ids)))
    value, mine = fused_step(student, split, examples, micro_batch_tokens=10**6, pad_id=PAD)
    for other in (END, 7):
        again, gradient = fused_step(student, split, examples, micro_batch_tokens=10**6, pad_id=other)
        assert again == pytest.approx(value, rel=1e-13)
        assert_same_gradients(gradient, mine)
        np.testing.assert_allclose(
            score(student, split, 10**6, Vocabulary(VOCABULARY, other)).response_loss,
            score(student, split, 10**6, TOKENS).response_loss,
            rtol=1e-13,
        )


def test_padding_on_the_right_changes_no_loss(student: PreTrainedModel, split: Split) -> None:
    alone, together = (score(student, split, tokens, TOKENS).response_loss for tokens in (1, 10**6))
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_reproduced_is_what_greedy_decoding_gives(student: PreTrainedModel) -> None:
    rng = np.random.default_rng(3)
    prompts = [rng.integers(3, 23, n).astype(np.int32) for n in (2, 5, 3, 4)]
    responses = []
    for prompt in prompts:
        ids = torch.from_numpy(prompt.astype(np.int64))[None]
        out = student.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=4, do_sample=False, eos_token_id=None
        )
        responses.append(out[0, len(prompt) :].numpy().astype(np.int32))
    first, last = responses[1].copy(), responses[3].copy()
    first[0], last[-1] = (first[0] + 1) % 23, (last[-1] + 1) % 23
    scores = score(student, split_from(prompts, [responses[0], first, responses[2], last]), 64, TOKENS)
    assert scores.sequence_accuracy.tolist() == [True, False, True, False]
    assert scores.mean("sequence_accuracy") == 0.5


def test_scoring_leaves_a_training_model_training(student: PreTrainedModel, split: Split) -> None:
    for training in (True, False):
        student.train(training)
        score(student, split, 64, TOKENS)
        assert student.training is training
