"""Chained sums modulo a small base, each step written out. Made, not read: endless and exact."""

from __future__ import annotations

import numpy as np

from clpd_bench.corpus.example import SPLITS, Example
from clpd_bench.corpus.sameness import share_of
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import ChainedSums

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
"""Fixed, not a setting: whatever sizes two corpora ask for, no test question of one is ever a
training question of the other."""

ALPHABET = "0123456789+-=?;:"
"""Every character of a question or response, for a tokenizer that all such corpora share."""


def split_of(question: str) -> str:
    share = share_of(question)  # written in one way alone, so by its text
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def chained_sum(start: int, terms: list[tuple[str, int]], modulus: int) -> Example:
    """`3+4-2?` -> rationale `3+4=0;0-2=5`, answer `5` (modulus 7)."""
    value, steps = start, []
    for sign, operand in terms:
        result = (value + operand if sign == "+" else value - operand) % modulus
        steps.append(f"{value}{sign}{operand}={result}")
        value = result
    return Example(_question(start, terms), ";".join(steps), str(value), {"operations": float(len(terms))})


def _question(start: int, terms: list[tuple[str, int]]) -> str:
    return f"{start}{''.join(f'{sign}{operand}' for sign, operand in terms)}?"


def generate(settings: ChainedSums) -> dict[str, list[Example]]:
    """Examples by split. In training, short questions repeat once their few distinct ones are used
    up; validation and test hold distinct questions, the lengths taking turns while they have any.

    Raises:
        UserError: there are not as many distinct questions as validation or test ask for.
    """
    rng = np.random.Generator(np.random.Philox(settings.seed))
    low, high = settings.operations
    wanted = {"train": settings.train, "validation": settings.validation, "test": settings.test}
    out: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for split in SPLITS:
        seen: set[str] = set()
        lengths = list(range(low, high + 1))
        turn = 0
        while len(out[split]) < wanted[split]:
            if not lengths:
                raise UserError(
                    f"{split} asks for {wanted[split]} distinct questions, and there are {len(out[split])}",
                    key=f"source.{split}",
                    fix="Ask for fewer, or for more operations",
                )
            operations = lengths[turn % len(lengths)]
            example = _draw(rng, operations, settings.modulus, split, seen if split != "train" else None)
            if example is None:
                lengths.remove(operations)
                continue
            turn += 1
            seen.add(example.question)
            out[split].append(example)
    return out


def _draw(
    rng: np.random.Generator, operations: int, modulus: int, split: str, taken: set[str] | None
) -> Example | None:
    """A random question of the split, not among those taken; None when (practically) none is left."""
    for _ in range(20_000):
        numbers = rng.integers(0, modulus, size=operations + 1).tolist()
        signs = rng.integers(0, 2, size=operations).tolist()
        terms = [("+-"[sign], number) for sign, number in zip(signs, numbers[1:], strict=True)]
        question = _question(numbers[0], terms)
        if split_of(question) == split and (taken is None or question not in taken):
            return chained_sum(numbers[0], terms, modulus)
    return None
