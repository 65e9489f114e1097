"""Numbers as people read them."""

from __future__ import annotations

from clpd_bench.reporting.rounding import UNITS, difference


def test_an_interval_that_crosses_zero_reads_as_one_that_does() -> None:
    shown = difference(0.0059, -0.000027, 0.0118, UNITS["response_loss"])
    assert shown.low == "-0.00003"
    assert difference(0.0059, 0.000027, 0.0118, UNITS["response_loss"]).low == "0.00003"


def test_an_end_that_is_zero_stays_so() -> None:
    assert difference(0.01, 0.0, 0.02, UNITS["response_loss"]).low == "0.000"
