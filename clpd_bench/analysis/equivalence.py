"""Whether a difference is shown to be small: two one-sided tests."""

from __future__ import annotations

import numpy as np
from scipy import stats

from clpd_bench.analysis.outcomes import FloatArray
from clpd_bench.analysis.paired import paired_t


def equivalence_p(differences_by_seed: FloatArray, margin: float) -> float:
    """The p of "the true difference is not within ± margin", by TOST over paired seeds (Schuirmann 1987).

    The larger p of two one-sided paired t tests, against -margin and against +margin. nan where D_s has
    no spread: then nothing is known of its error (see `paired_t`).

    Raises:
        UserError: see `paired_t`.
    """
    test = paired_t(differences_by_seed)
    if test.sd == 0:
        return float("nan")
    error = test.sd / float(np.sqrt(test.n))
    return float(stats.t.sf((margin - abs(test.difference)) / error, test.n - 1))
