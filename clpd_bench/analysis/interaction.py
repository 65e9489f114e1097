"""Whether the two curricula together do more than the sum of what each does alone."""

from __future__ import annotations

from clpd_bench.analysis.outcomes import FloatArray


def interaction(
    y_clpd: FloatArray,
    y_data_ordering: FloatArray,
    y_teacher_scheduling: FloatArray,
    y_standard: FloatArray,
) -> FloatArray:
    """I[seed, item] = y_clpd - y_data_ordering - y_teacher_scheduling + y_standard.

    The interaction of a 2 x 2 factorial on the scale of the metric (for accuracy the probability
    scale, not log-odds). Positive = together more of the metric than the two effects added up,
    which is worse where lower is better.
    """
    return y_clpd - y_data_ordering - y_teacher_scheduling + y_standard
