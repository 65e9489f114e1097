"""The order of the means says whether teachers rise; where they do not, how far apart they are is said."""

from __future__ import annotations

import pytest

from clpd_bench.analysis.ladder import Scored, falls
from clpd_bench.plan.plan import Ladder


def scored(metric: str = "response_loss", point: str = "", of: int | None = None, **scores: float) -> Scored:
    """Args:
    of: how many teachers there are, the last ones not evaluated.
    """
    names = [*scores, *(f"later{i}" for i in range((of or len(scores)) - len(scores)))]
    return Scored(Ladder(point, "sums", metric, None, tuple((name, "key") for name in names)), scores)


@pytest.mark.parametrize(
    "rising",
    [
        scored(small=0.55, large=0.30),
        scored("exact_match", small=0.1, medium=0.2, large=0.9),
        scored(small=0.5500001, large=0.55),  # the means decide, however near they are
        scored(small=0.55, of=2),
        scored(of=2),
        scored(small=0.5, medium=0.4, of=3),
    ],
)
def test_nothing_is_said_of_teachers_that_rise_or_are_not_evaluated(rising: Scored) -> None:
    assert rising.sentence == ""
    assert falls([rising]) == []
    assert rising.to_json()["rises"] is (True if len(rising.scores) > 1 else None)


def test_a_reversed_ladder_is_said_with_its_scores_and_what_to_write() -> None:
    found = scored(large=0.30, small=0.55)
    assert found.sentence == (
        "the teachers do not rise: large 0.3, small 0.55 (validation sums response_loss, lower is better; small is "
        "0.25 behind large), so `strongest` is not the strongest: write `teachers: [small, large]`"
    )
    assert found.to_json()["rises"] is False
    assert scored("exact_match", a=0.9, b=0.1).sentence.endswith("write `teachers: [b, a]`")


def test_a_fall_below_the_strongest_is_not_said_to_be_one_of_the_strongest() -> None:
    said = scored(medium=0.4, small=0.5, large=0.1).sentence
    assert "so `weak_to_strong` does not go from weak to strong: write `teachers: [small, medium, large]`" in said
    assert "small is 0.1 behind medium)" in said
    assert "`strongest`" not in said


def test_a_near_tie_is_said_with_its_difference() -> None:
    said = scored(large=0.3000012, small=0.3000025).sentence
    assert "large 0.3, small 0.3 " in said
    assert "small is 1.3e-06 behind large" in said


def test_equal_teachers_do_not_rise_and_no_order_of_them_does() -> None:
    said = scored("exact_match", small=0.5, large=0.5).sentence
    assert "large is level with small), so `strongest` is not the strongest" in said
    assert "write" not in said


def test_a_score_that_is_no_number_is_no_rise() -> None:
    assert "small 0.5, large nan" in scored(small=0.5, large=float("nan")).sentence


def test_what_is_known_to_fall_is_said_before_all_are_evaluated() -> None:
    said = scored(large=0.3, small=0.5, of=3).sentence
    assert said.endswith("so `weak_to_strong` does not go from weak to strong")  # the last one is not known yet
    assert "later0" not in said


def test_points_are_named_where_not_all_of_them_fall() -> None:
    rising, falling = scored(point="[a=1]", small=0.5, large=0.3), scored(point="[a=2]", large=0.3, small=0.5)
    assert falls([rising, falling]) == [f"at [a=2] {falling.sentence}"]
    assert falls([falling]) == [falling.sentence]
