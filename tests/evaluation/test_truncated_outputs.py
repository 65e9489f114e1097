"""Which outputs ended by length, and whether gold responses have room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from evaluated import EVALUATION
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from clpd_bench.corpus.reader import read_split
from clpd_bench.distillation import shards
from clpd_bench.distillation.context import Context
from clpd_bench.errors import UserError
from clpd_bench.evaluation.gold import require_room_for_gold
from clpd_bench.evaluation.harness import KeptHFLM
from clpd_bench.jobs import evaluation
from clpd_bench.jobs import model as model_job
from clpd_bench.settings.specs import ModelSpec

TOKENS = [*"0123456789", "x", "a", "b", "|", "<eos>", "<pad>", "<turn>"]
FOLLOWS = {**{str(n): str(n - 1) for n in range(1, 10)}, "0": "<eos>", "a": "b", "b": "|", "|": "|"}
"""What the model says behind each token: it counts down and ends; behind `a` it says b, then bars for ever. Behind
anything else it says the same again."""
NEW = 6


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    inner = Tokenizer(models.WordLevel({token: i for i, token in enumerate(TOKENS)}, unk_token="x"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.decoder = decoders.Fuse()
    special = {"eos_token": "<eos>", "pad_token": "<pad>", "additional_special_tokens": ["<turn>"]}
    return PreTrainedTokenizerFast(tokenizer_object=inner, **special)


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    """Of weights set by hand: the last token alone decides."""
    size = 2 * -(-len(TOKENS) // 2)
    config = LlamaConfig(
        vocab_size=size, hidden_size=size, intermediate_size=2, num_hidden_layers=1, num_attention_heads=1,
        tie_word_embeddings=False, eos_token_id=TOKENS.index("<eos>"), pad_token_id=TOKENS.index("<pad>"),
    )  # fmt: skip
    made = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for weights in made.parameters():
            weights.zero_()
        for name, weights in made.named_parameters():
            if "norm" in name:
                weights.fill_(1)
        made.model.embed_tokens.weight.copy_(torch.eye(size))
        for i, token in enumerate(TOKENS):
            made.lm_head.weight[TOKENS.index(FOLLOWS.get(token, token)), i] = 1
    return made


def generated(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], **settings: Any
) -> tuple[list[str], list[bool]]:
    """What it says behind each of these prompts, in one batch, and which it was cut in."""
    kept = KeptHFLM(
        shards.compute, lambda done, of: None, apart=True, pretrained=model, tokenizer=tokenizer,
        batch_size=len(prompts), max_length=64, device="cpu",
    )  # fmt: skip
    given = {"until": ["<eos>"], "max_gen_toks": NEW, "do_sample": False, **settings}
    asked: list[Any] = [SimpleNamespace(args=(prompt, given), doc_id=10 + i) for i, prompt in enumerate(prompts)]
    texts = kept.generate_until(asked)
    return texts, [kept.truncated[10 + i] for i in range(len(prompts))]


@pytest.mark.parametrize("prompts", ["39", "93", "5x37", "2", "x"])
def test_an_output_is_cut_whose_model_had_not_ended_it(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, prompts: str
) -> None:
    """Alone, and in a batch whose other rows go on or had ended; the end may be the last token that there is room
    for, as it is behind 5."""
    texts, cut = generated(model, tokenizer, prompts)
    wanted = {"2": ("10", False), "3": ("210", False), "5": ("43210", False), "7": ("654321", True)}
    wanted |= {"9": ("876543", True), "x": ("xxxxxx", True)}
    assert list(zip(texts, cut, strict=True)) == [wanted[prompt] for prompt in prompts]


def test_an_output_that_met_its_stop_is_not_cut_though_it_has_no_end_token(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Neither where the batch ends with it, nor where it is dragged on to the limit by a row that never ends."""
    assert generated(model, tokenizer, "a", until=["||"]) == (["b"], [False])
    assert generated(model, tokenizer, "ax", until=["||", "<eos>"]) == (["b", "xxxxxx"], [False, True])
    assert generated(model, tokenizer, "ax", until=["y"])[1] == [True, True]
    assert generated(model, tokenizer, ["||x"], until=["|"])[1] == [True], "a stop in the prompt is none"


def test_the_tasks_own_end_tokens_count_and_else_the_models(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    turn = TOKENS.index("<turn>")
    with torch.no_grad():
        model.lm_head.weight[turn, TOKENS.index("x")] = 2
    try:
        assert generated(model, tokenizer, "x", until=[])[1] == [True]
        assert generated(model, tokenizer, "x3", until=[], eos_token_id=[turn, TOKENS.index("<eos>")])[1] == [False] * 2
        model.generation_config.eos_token_id = [turn]
        assert generated(model, tokenizer, "x", until=[])[1] == [False]
    finally:
        model.generation_config.eos_token_id = TOKENS.index("<eos>")
        with torch.no_grad():
            model.lm_head.weight[turn, TOKENS.index("x")] = 0


@pytest.mark.parametrize("trained", [True, False])
def test_items_say_which_outputs_were_cut_and_nothing_of_what_is_not_generated(
    folders: dict[str, Path], tmp_path: Path, trained: bool
) -> None:
    """The student that is evaluated ends its responses; a fresh one goes on about some."""
    inputs, contexts = dict(folders), (Context(tmp_path / name) for name in ("a", "b"))
    if not trained:
        inputs["model"] = tmp_path / "fresh"
        inputs["model"].mkdir()
        fresh = {"name": "llama", "hidden_size": 32, "num_attention_heads": 2, "max_position_embeddings": 64}
        model_job.run(
            ModelSpec.model_validate({"architecture": fresh, "seed": 0}), folders, inputs["model"], next(contexts)
        )
    (tmp_path / "out").mkdir()
    evaluation.run(EVALUATION, inputs, tmp_path / "out", next(contexts))
    rows = pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    cut = {row["truncated"] for row in rows if row["metric"] == "exact_match"}
    assert cut == {False} if trained else True in cut
    assert {row["truncated"] for row in rows if row["metric"] == "response_loss"} == {None}


def test_gold_responses_must_fit_with_their_end_token(folders: dict[str, Path]) -> None:
    split = read_split(folders["corpus"], "test")
    needed = int(split.responses.lengths.max())
    require_room_for_gold(split, needed)
    too_long = int((split.responses.lengths == needed).sum())
    with pytest.raises(UserError, match=f"^max_new_tokens: {too_long} of 10 gold responses") as error:
        require_room_for_gold(split, needed - 1)
    longest = int(split.responses.lengths.argmax())
    assert str(split.ids[longest]) in error.value.message
    assert f"{needed} tokens with the end token" in error.value.message
    assert error.value.fix is not None
    assert f"Set it to {needed} or more" in error.value.fix
