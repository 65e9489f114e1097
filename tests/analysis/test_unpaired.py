"""What stands beside the paired test: scipy's Welch, numpy's spreads and correlation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clpd_bench.analysis.paired import unpaired


@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_equals_scipy_and_numpy(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    shared = rng.normal(0, 0.02, seeds)
    arm, baseline = shared + rng.normal(0.5, 0.05, seeds), shared + rng.normal(0.45, 0.01, seeds)
    ours = unpaired(arm, baseline)
    assert ours.welch_p == pytest.approx(stats.ttest_ind(arm, baseline, equal_var=False).pvalue, abs=1e-9)
    assert (ours.sd_arm, ours.sd_baseline) == pytest.approx((np.std(arm, ddof=1), np.std(baseline, ddof=1)), abs=1e-9)
    assert ours.correlation == pytest.approx(np.corrcoef(arm, baseline)[0, 1], abs=1e-9)


def test_an_arm_that_does_not_vary_has_no_correlation() -> None:
    arm, baseline = np.array([0.1, 0.4, 0.2]), np.full(3, 0.3)
    ours = unpaired(arm, baseline)
    assert (ours.sd_baseline, np.isnan(ours.correlation)) == (0, True)
    assert ours.welch_p == pytest.approx(stats.ttest_1samp(arm, 0.3).pvalue)
    assert np.isnan(unpaired(baseline, baseline).welch_p)
