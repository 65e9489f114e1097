"""What `analysis:` may say, and what of it is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation


def test_defaults_are_the_strictest_reading(small: Path) -> None:
    analysis = load_ablation(small).analysis
    assert (analysis.correction, analysis.alpha, analysis.margin) == ("holm", 0.05, None)
    assert (analysis.generalise_to, analysis.diverged) == ("these_items", "refuse")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("analysis.correction=bh", "'holm', 'bonferroni' or 'none'"),
        ("analysis.diverged=ignore", "'refuse', 'last_checkpoint' or 'drop_pair'"),
        ("analysis.generalise_to=all", "'these_items' or 'new_items'"),
        ("analysis.margin=0", "greater than 0"),
    ],
)
def test_what_is_allowed_is_said(small: Path, setting: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_ablation(small, [setting])
    assert setting.partition("=")[0] in str(caught.value)
    said = f"{caught.value} {caught.value.allowed}"
    for word in words.replace(" or ", ", ").split(", "):
        assert word.strip("'") in said


def test_a_margin_of_accuracy_is_a_share_and_one_in_points_is_refused(small: Path) -> None:
    accuracy = "analysis.primary.metric=exact_match"
    assert load_ablation(small, [accuracy, "analysis.margin=0.01"]).analysis.margin == 0.01
    with pytest.raises(UserError, match=r"one point is 0\.01, and this is 2"):
        load_ablation(small, [accuracy, "analysis.margin=2"])
    assert load_ablation(small, ["analysis.primary.metric=response_loss", "analysis.margin=2"]).analysis.margin == 2


def test_no_benchmark_may_be_called_as_the_average_is(small: Path) -> None:
    with pytest.raises(UserError, match="it is the mean over benchmarks"):
        load_ablation(small, ["evaluation.benchmarks={macro average: {corpus: sums, max_new_tokens: 3}}"])
