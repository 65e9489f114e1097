"""Sums whose terms can be read, and worked out again with a pocket calculator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """Attributes:
    what: what it is counted for.
    formula: with its numbers: `6 x 1,024 weights x 300 tokens`.
    value: FLOPs, or bytes.
    """

    what: str
    formula: str
    value: float


def term(what: str, *factors: tuple[float, str]) -> Term:
    """The product of factors, each with its name (or none)."""
    value: float = 1  # of whole numbers a whole number, and exact
    for factor, _ in factors:
        value *= factor
    return Term(what, " x ".join(f"{_number(factor)} {name}".rstrip() for factor, name in factors), value)


def total(terms: Iterable[Term]) -> float:
    return sum(term.value for term in terms)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 1000 else f"{value:,.4g}"
