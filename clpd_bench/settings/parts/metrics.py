"""The metrics that results may have, and which way is better."""

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
