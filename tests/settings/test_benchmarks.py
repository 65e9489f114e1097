"""What `evaluation:` may say, and which result may be the primary one."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation
from clpd_bench.settings.parts.evaluation import EXTRACTED, Benchmark

NUMBER = "evaluation.benchmarks.sums.extract=number"
ACCURACY = "analysis.primary.metric=exact_match"
LOSS_ALONE = "evaluation.benchmarks={sums: {corpus: sums}}"


def test_what_is_extracted_follows_the_source_unless_the_benchmark_says_otherwise(small: Path) -> None:
    corpus = load_ablation(small).corpora["sums"]
    named = {
        name: corpus.model_construct(source=corpus.source.model_construct(name=name))
        for name in ("gsm8k", "svamp", "commonsense_qa", "jsonl")
    }
    found = {name: Benchmark(corpus="c", max_new_tokens=4).extracts(one) for name, one in named.items()}
    assert found == {**EXTRACTED, "jsonl": None}
    assert Benchmark(corpus="c", max_new_tokens=4, extract="line").extracts(named["gsm8k"]) == "line"
    assert Benchmark(corpus="c", max_new_tokens=4, extract="none").extracts(named["gsm8k"]) is None
    assert Benchmark(corpus="c").extracts(named["gsm8k"]) is None


@pytest.mark.parametrize(
    ("sets", "key", "words"),
    [
        ([NUMBER, ACCURACY], "analysis.primary", "several filters: strict and flexible"),
        ([NUMBER, ACCURACY, "analysis.primary.filter=lenient"], "analysis.primary.filter", "no exact_match under such"),
        (["analysis.primary.filter=flexible"], "analysis.primary.filter", "no response_loss under such"),
        ([LOSS_ALONE, ACCURACY], "analysis.primary.metric", "has no exact_match"),
        ([LOSS_ALONE, NUMBER], "evaluation.benchmarks.sums", "nothing is generated"),
        (["evaluation.benchmarks.sums.extract=word"], "evaluation.benchmarks.sums.extract", "unknown value 'word'"),
    ],
)
def test_a_primary_result_that_will_not_be_there_or_is_two_is_refused(
    small: Path, sets: list[str], key: str, words: str
) -> None:
    with pytest.raises(UserError) as caught:
        load_ablation(small, sets)
    assert caught.value.key == key
    assert words in str(caught.value)


def test_a_primary_result_may_name_its_filter(small: Path) -> None:
    primary = load_ablation(small, [NUMBER, ACCURACY, "analysis.primary.filter=flexible"]).analysis.primary
    assert primary.title == "exact_match (flexible)"
    assert load_ablation(small, [LOSS_ALONE]).analysis.primary.title == "response_loss"
