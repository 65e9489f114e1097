"""Which look is the best, and when patience is at its end: worked out from what was seen, by the definition."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clpd_bench.distillation.validation import Seen, best_check, last_gain, out_of_patience, why_stopped
from clpd_bench.settings.base import fingerprint
from clpd_bench.settings.parts.training import BestValidation, EarlyStopping, Last, Training

PLAIN: dict[str, Any] = {"steps": 10, "learning_rate": 1e-3}


def seen(*losses: float, every: int = 1) -> list[Seen]:
    return [
        {"step": float(i * every), "response_loss": loss, "sequence_accuracy": 1 - loss}
        for i, loss in enumerate(losses)
    ]


def best(metric: str = "response_loss", every: int = 1) -> BestValidation:
    return BestValidation.model_validate({"name": "best_validation", "metric": metric, "every": every})


def stopping(patience: int = 2, min_delta: float = 0.0, **fields: Any) -> EarlyStopping:
    return EarlyStopping(patience=patience, min_delta=min_delta, **{"metric": "response_loss", "every": 1, **fields})


losses = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, math.nan]), min_size=2, max_size=12)


@given(losses, st.integers(1, 4), st.sampled_from(["response_loss", "sequence_accuracy"]))
def test_the_best_look_is_the_earliest_optimum_of_its_own_looks(values: list[float], every: int, metric: str) -> None:
    """Own looks: every `every` steps and the end of the run, never its start; a nan is never chosen."""
    end = len(values) - 1
    own = [n for n in range(1, end + 1) if (n % every == 0 or n == end) and not math.isnan(values[n])]
    found = best_check(seen(*values), best(metric, every), end)
    assert (None if found is None else found["step"]) == (min(own, key=lambda n: (values[n], n)) if own else None)


def test_while_a_run_goes_on_its_newest_step_is_no_look_of_its_own() -> None:
    assert best_check(seen(3, 2, 1), best(every=2)) == seen(3, 2, 1)[2]
    assert best_check(seen(3, 2, 1, 0.5), best(every=2)) == seen(3, 2, 1)[2]
    assert best_check(seen(3, 2, 1, 0.5), best(every=2), end=3) == seen(3, 2, 1, 0.5)[3]


@pytest.mark.parametrize(
    ("values", "patience", "min_delta", "over"),
    [
        ((3, 2, 1), 1, 0.0, False),
        ((3, 2, 2), 1, 0.0, True),  # no better is no gain
        ((3, 2, 2.5), 2, 0.0, False),
        ((3, 2, 2.5, 2.25), 2, 0.0, True),  # better than the look before, not than the best
        ((3, 2, 2.5, 1), 2, 0.0, False),
        ((3, 2.5, 2.5), 2, 0.5, True),  # neither is better than 3 by more than .5
        ((3, 2.5, 2.0), 2, 0.5, False),  # many small gains are one: 3 stays the one to beat
        ((1, 4, 3), 2, 0.0, True),  # the look before the first step is one to beat
    ],
)
def test_patience_ends_after_so_many_looks_without_a_gain(
    values: tuple[float, ...], patience: int, min_delta: float, over: bool
) -> None:
    assert out_of_patience(seen(*values), stopping(patience, min_delta)) is over


@given(losses, st.integers(1, 3))
def test_only_its_own_looks_try_its_patience(values: list[float], every: int) -> None:
    """Looks that a checkpoint asked for in between are none."""
    all_of_them = seen(*values)
    own = [look for look in all_of_them if look["step"] % every == 0]
    assert last_gain(all_of_them, stopping(every=every)) == last_gain(own, stopping(every=every))


def test_why_a_run_stopped_is_said_with_its_numbers() -> None:
    assert why_stopped(seen(3, 2, 2.5, 2.25, every=25), stopping(2, 0.125, every=25)) == (
        "stopped early, after step 75: of the last 2 checks of the validation response_loss none was better by more "
        "than 0.125 than that of step 25, 2"
    )


def test_defaults_are_in_no_key() -> None:
    plain = Training(**PLAIN)
    assert isinstance(plain.checkpoint, Last)
    assert fingerprint(plain) == PLAIN
    assert fingerprint(Training(**PLAIN, checkpoint="last")) == PLAIN
    chosen = Training(**PLAIN, checkpoint="best_validation:response_loss", early_stopping=stopping())
    assert fingerprint(chosen) == {
        **PLAIN,
        "checkpoint": {"metric": "response_loss", "name": "best_validation"},
        "early_stopping": {"metric": "response_loss", "every": 1, "patience": 2},
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"early_stopping": stopping()}, "wants stop or early_stopping, not both"),
        ({"checkpoint": best()}, "wants stop or checkpoint best_validation, not both"),
    ],
)
def test_a_run_that_stops_at_a_score_has_no_other_end(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Training(**PLAIN, stop={"metric": "response_loss", "at": 1.0}, **fields)
