"""Evaluation as pretrained tokenizers want it: padding that is the end of text, a turn's end that is not, special
tokens that stand in the prompt already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from clpd_bench.corpus.reader import Ragged, Split
from clpd_bench.distillation.shards import compute
from clpd_bench.errors import UserError
from clpd_bench.evaluation.harness import run_harness
from clpd_bench.evaluation.load_task import loaded
from clpd_bench.evaluation.task import TASK, write_task
from clpd_bench.evaluation.tokens import special_tokens, stop_of
from clpd_bench.settings.specs import BenchmarkSpec

VOCABULARY, NEW = 24, 10
EOS, START = 2, 3
BENCHMARK = BenchmarkSpec(max_new_tokens=NEW, answer_marker=None)


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    """Random, with weights so large that what it says varies."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        initializer_range=0.6,
        eos_token_id=EOS,
    )
    torch.manual_seed(1)
    return LlamaForCausalLM(config).eval()


PROMPTS = [[START, *[4 + (7 * i + 3 * j * j) % 20 for j in range(1 + i % 5)]] for i in range(12)]
"""Of five lengths, so that batches are padded."""


def greedy(model: LlamaForCausalLM, prompt: list[int]) -> list[int]:
    """One prompt alone, without a cache, padding or transformers' generation."""
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(NEW):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.fixture(scope="module")
def end(model: LlamaForCausalLM) -> int:
    """A token that some of the rows say on their way, and others never."""
    said = [greedy(model, prompt) for prompt in PROMPTS]
    counts = {t: sum(t in row[1:-1] for row in said) for t in range(4, VOCABULARY)}
    token = min(counts, key=lambda t: abs(counts[t] - len(PROMPTS) / 2))
    assert 0 < counts[token] < len(PROMPTS)
    return token


def tokenizer_of(end: int, *, with_start: bool = False) -> PreTrainedTokenizerFast:
    """One token a word; padding is the end of text. `with_start`: it puts <s> before a text."""
    words = {f"w{i}": i for i in range(VOCABULARY)}
    names = {EOS: "<|endoftext|>", START: "<s>", end: "<|im_end|>", 0: "<unk>"}
    vocabulary = {names.get(i, word): i for word, i in words.items()}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if with_start:
        inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", START)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        bos_token="<s>",
        additional_special_tokens=["<|im_end|>"],
    )


def split_of(texts: list[str], prompts: list[list[int]], end: int) -> Split:
    def ragged(lists: list[list[int]]) -> Ragged:
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in lists])])
        return Ragged(np.array([token for one in lists for token in one], dtype=np.int32), offsets)

    ids = [f"{i:02d}" for i in range(len(texts))]
    table = pa.table({"id": ids, "prompt": texts, "answer": ["w5"] * len(texts)})
    return Split(np.array(ids), ragged(prompts), ragged([[5, end]] * len(texts)), table)


def run(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path, special: bool
) -> list[dict[str, Any]]:
    """lm-eval's samples, each with whether its output was cut."""
    with loaded(folder) as one:
        results, truncated, _ = run_harness(model, tokenizer, one, 4, special, compute, lambda done, of: None)
    return [{**sample, "truncated": truncated[sample["doc_id"]]} for sample in results["samples"][TASK]]


def plain(tokenizer: PreTrainedTokenizerFast, end: int, *, start_in_text: bool) -> Split:
    texts = [tokenizer.decode(prompt if start_in_text else prompt[1:]) for prompt in PROMPTS]
    return split_of(texts, PROMPTS, end)


@pytest.mark.parametrize("start_in_text", [True, False], ids=["template", "tokenizer"])
def test_the_model_sees_the_tokens_of_the_corpus_and_stops_where_its_responses_end(
    model: LlamaForCausalLM, end: int, start_in_text: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the text holds the first token already, or the tokenizer is the one that adds it; and in a batch whose
    other rows go on, a row that has ended is not continued."""
    tokenizer = tokenizer_of(end, with_start=True)
    split = plain(tokenizer, end, start_in_text=start_in_text)
    seen: list[list[int]] = []
    generate = model.generate

    def recorded(*, input_ids: torch.Tensor, attention_mask: torch.Tensor, **settings: Any) -> Any:
        seen.extend(row[mask.bool()].tolist() for row, mask in zip(input_ids, attention_mask, strict=True))
        assert attention_mask[:, -1].all(), "padding is on the left"
        return generate(input_ids=input_ids, attention_mask=attention_mask, **settings)

    monkeypatch.setattr(model, "generate", recorded)
    write_task(split, BENCHMARK, stop_of(split, tokenizer), tmp_path)
    special = special_tokens(split, tokenizer)
    assert special != start_in_text
    samples = run(model, tokenizer, tmp_path, special)
    assert sorted(seen) == sorted(PROMPTS)
    stopped = 0
    for sample in samples:
        said = greedy(model, PROMPTS[int(sample["doc"]["id"])])
        ends = [i for i, token in enumerate(said) if token in (end, EOS)]
        stopped += bool(ends)
        expected = tokenizer.decode(said[: ends[0]] if ends else said, skip_special_tokens=True)
        assert sample["resps"][0][0].split() == expected.split()
        assert sample["truncated"] == (not ends)
    assert 0 < stopped < len(PROMPTS)


def test_a_tokenizer_that_makes_other_tokens_of_the_prompts_is_refused(end: int) -> None:
    tokenizer = tokenizer_of(end)
    prompts = [[START, 5, 6], [START, 7]]
    split = split_of(["<s> w5 w6", "<s> w8"], prompts, end)
    with pytest.raises(UserError, match=r"'<s> w8'.*at place 1 \[8\] against \[7\]"):
        special_tokens(split, tokenizer)
