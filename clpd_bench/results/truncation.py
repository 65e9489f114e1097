"""Outputs that ended by length: a model that was still writing is scored as if it had said all it had to say."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

LIMIT = 0.01
"""The share of an arm's outputs above which a report warns."""

Shares = dict[str, dict[str, float]]


def truncated_shares(items: pd.DataFrame, names: Sequence[str]) -> Shares:
    """{benchmark: {arm or reference, as `names` has them: the share of its outputs that ended by length, the mean over
    seeds}}, where something was generated."""
    generated = items[items["truncated"].notna()]
    # An output has a row for each metric and filter: as many as every other of its benchmark.
    runs = [generated[one] for one in ("benchmark", "arm", "seed")]
    by_seed = generated["truncated"].astype(float).groupby(runs).mean()
    means = by_seed.groupby(level=["benchmark", "arm"]).mean().to_dict()
    benchmarks = dict.fromkeys(generated["benchmark"])
    return {b: {name: means[b, name] for name in names if (b, name) in means} for b in benchmarks}


def ended_by_length(shares: Shares) -> list[str]:
    """A sentence for each benchmark."""
    return [
        f"Outputs on {benchmark} that ended by length, before the model had ended them (mean over seeds): "
        f"{_listed(found)}."
        for benchmark, found in shares.items()
    ]


def too_many(shares: Shares, arms: Sequence[str]) -> dict[str, str]:
    """{benchmark: a clause, where the share of some arm is above LIMIT}: what was cut on one side reads as a difference
    in accuracy."""
    mine = {benchmark: {arm: found[arm] for arm in arms if arm in found} for benchmark, found in shares.items()}
    return {
        benchmark: f"outputs on {benchmark} ended by length, {_listed(found)}: raise max_new_tokens (of a task of "
        "lm-eval, its max_gen_toks), or read a difference in accuracy as one in length, too"
        for benchmark, found in mine.items()
        if any(share > LIMIT for share in found.values())
    }


def _listed(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in found.items())


def percent(share: float) -> str:
    """`0 %`, `< 0.1 %`, `0.3 %`, `12 %`."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.1f} %".replace(".0 %", " %")
