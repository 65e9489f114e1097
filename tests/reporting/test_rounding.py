"""Numbers as people read them."""

from __future__ import annotations

from clpd_bench.tables.rounding import UNITS, difference, p_value


def test_an_interval_that_crosses_zero_reads_as_one_that_does() -> None:
    shown = difference(0.0059, -0.000027, 0.0118, UNITS["response_loss"])
    assert shown.low == "-0.00003"
    assert difference(0.0059, 0.000027, 0.0118, UNITS["response_loss"]).low == "0.00003"


def test_an_end_that_is_zero_stays_so() -> None:
    assert difference(0.01, 0.0, 0.02, UNITS["response_loss"]).low == "0.000"


def test_a_p_beside_one_in_twenty_tells_on_which_side_it_lies() -> None:
    assert [p_value(p) for p in (0.050216, 0.0498, 0.05, 0.0506, 0.04949)] == [
        "p = .0502",
        "p = .0498",
        "p = .050",
        "p = .051",
        "p = .049",
    ]
