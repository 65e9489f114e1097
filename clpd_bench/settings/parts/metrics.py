"""The metrics that results and validations may have, and which way of each is better."""

from __future__ import annotations

from typing import Literal

METRICS: dict[str, Literal["higher", "lower"]] = {
    "exact_match": "higher",  # 0 or 1
    "acc": "higher",  # 0 or 1: the likeliest choice is the right one
    "acc_norm": "higher",  # 0 or 1: the same by likelihood a character
    "response_loss": "lower",  # mean nats a token
}
BINARY = frozenset({"exact_match", "acc", "acc_norm"})
"""The metrics that are 0 or 1."""

ValidationMetric = Literal["response_loss", "sequence_accuracy"]
"""What a model in training is checked by."""


def lower_is_better(metric: str) -> bool:
    """Of a result's metric or of a validation's."""
    return METRICS.get(metric) == "lower"
