"""Slurm's six forms of a time are read as what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clpd_bench.launch.slurm.printed import minutes
from clpd_bench.launch.watch.hours import duration

FORMS = {
    # form: how days, hours, minutes, seconds are written, and the seconds that they are
    "minutes": ("{m}", lambda d, h, m, s: 60 * m),
    "minutes:seconds": ("{m}:{s:02}", lambda d, h, m, s: 60 * m + s),
    "hours:minutes:seconds": ("{h}:{m:02}:{s:02}", lambda d, h, m, s: 3600 * h + 60 * m + s),
    "days-hours": ("{d}-{h}", lambda d, h, m, s: 86400 * d + 3600 * h),
    "days-hours:minutes": ("{d}-{h:02}:{m:02}", lambda d, h, m, s: 86400 * d + 3600 * h + 60 * m),
    "days-hours:minutes:seconds": ("{d}-{h}:{m}:{s}", lambda d, h, m, s: 86400 * d + 3600 * h + 60 * m + s),
}
PART = st.integers(0, 400)


@pytest.mark.parametrize("form", FORMS)
@given(d=PART, h=PART, m=PART, s=PART)
def test_each_form_is_its_seconds_in_minutes_rounded_up(form: str, d: int, h: int, m: int, s: int) -> None:
    pattern, seconds = FORMS[form]
    assert minutes(pattern.format(d=d, h=h, m=m, s=s)) == -(-seconds(d, h, m, s) // 60)


@given(st.integers(0, 10**6))
def test_minutes_as_slurm_prints_them_come_back(total: int) -> None:
    days, rest = divmod(total, 1440)
    assert minutes(f"{days}-{rest // 60:02}:{rest % 60:02}:00") == total


@pytest.mark.parametrize("text", ["UNLIMITED", "INFINITE", "infinite", "NONE", "N/A", ""])
def test_no_limit_is_none(text: str) -> None:
    assert minutes(text) is None


@pytest.mark.parametrize("text", ["4h", "1:2:3:4", "1-", "-1", "4.5", "1-2-3", " 4", "four", ":30"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time; write minutes, "):
        minutes(text)


def test_times_for_people() -> None:
    assert [duration(n) for n in (0, 45, 240, 2160, 44.2)] == ["0 min", "45 min", "4 h", "1 d 12 h", "45 min"]
