"""The comparisons of a long items table, with csv, numpy, scipy and statsmodels alone.

An oracle for clpd_bench.analysis: it shares no code with it. One series, arms with equal seeds.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests


def analyse(path, baseline, family, four):
    """{name: (difference, low, high, p, holm p)} for the family and "interaction".

    `four` = (clpd, data_ordering, teacher_scheduling, standard); the interaction is in the family.
    """
    scores = {}
    with Path(path).open(newline="") as file:
        for row in csv.DictReader(file):
            cell = scores.setdefault((row["arm"], int(row["seed"])), {})
            cell[row["item"]] = float(row["score"])

    seeds = sorted({seed for arm, seed in scores if arm == baseline})
    order = sorted(next(iter(scores.values())))
    mean = {
        arm: np.array([np.mean([scores[arm, seed][item] for item in order]) for seed in seeds])
        for arm in {arm for arm, seed in scores if seed >= 0}
    }
    tests = {arm: stats.ttest_rel(mean[arm], mean[baseline]) for arm in family}
    both, ordering, scheduling, neither = (mean[arm] for arm in four)
    tests["interaction"] = stats.ttest_rel(both - ordering, scheduling - neither)
    difference = {arm: np.mean(mean[arm]) - np.mean(mean[baseline]) for arm in family}
    difference["interaction"] = np.mean(both) - np.mean(ordering) - np.mean(scheduling) + np.mean(neither)

    adjusted = multipletests([test.pvalue for test in tests.values()], method="holm")[1]
    return {
        name: (difference[name], *test.confidence_interval(0.95), test.pvalue, holm)
        for (name, test), holm in zip(tests.items(), adjusted, strict=True)
    }


if __name__ == "__main__":
    table, baseline, *arms = sys.argv[1:]
    for name, numbers in analyse(table, baseline, arms[:3], arms[3:7]).items():
        print(name, *numbers)
