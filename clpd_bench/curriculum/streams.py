"""One seed per cell, many independent streams: drawing from one never moves another."""

from __future__ import annotations

import hashlib

import numpy as np


def stream_seed(seed: int, name: str, *counters: int) -> int:
    """A 63-bit seed for the stream `name` (`init`, `order`, `dropout`, ...) of a cell's seed."""
    text = "/".join(map(str, (seed, name, *counters)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, name: str, *counters: int) -> np.random.Generator:
    """A numpy generator on that stream; Philox, so equal on every platform."""
    return np.random.Generator(np.random.Philox(stream_seed(seed, name, *counters)))
