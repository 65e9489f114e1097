"""What rounds found, as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

Rounds = list[dict[str, dict[str, Any]]]
SIDES = ("ours", "peers")


def tables(rounds: Rounds) -> str:
    """Processor seconds: medians over rounds, and ratios of each round."""
    return "\n\n".join([_totals(rounds), _parts(rounds), _sameness(rounds)])


def _totals(rounds: Rounds) -> str:
    counted: dict[str, Callable[[dict[str, Any]], float]] = {
        "whole grid": lambda side: side["seconds"],
        "without start-up": lambda side: side["seconds"] - side["start_up"],
    }
    lines = [
        f"| processor seconds (medians of {len(rounds)}) | ours | peers | peers / ours | in each round |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in counted.items():
        ours, peers = (statistics.median(seconds(one[side]) for one in rounds) for side in SIDES)
        ratios = [seconds(one["peers"]) / seconds(one["ours"]) for one in rounds]
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {name} | {ours:.1f} | {peers:.1f} | {statistics.median(ratios):.2f} | {each} |")
    return "\n".join(lines)


def _parts(rounds: Rounds) -> str:
    """Median seconds, and their share of the side's median total."""
    names = dict.fromkeys(name for side in SIDES for one in rounds for name in one[side]["parts"])
    lines = ["| part | ours | share | peers | share |", "|---|---|---|---|---|"]
    for name in sorted(names):
        cells = [name]
        for side in SIDES:
            if name not in rounds[0][side]["parts"]:
                cells += ["", ""]
                continue
            seconds = statistics.median(one[side]["parts"][name] for one in rounds)
            total = statistics.median(one[side]["seconds"] for one in rounds)
            cells += [f"{seconds:.1f}", f"{seconds / total:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sameness(rounds: Rounds) -> str:
    generated = "; ".join(
        f"{side} generated {one['tokens']} tokens in {one['steps']} steps"
        for side in SIDES
        for one in [rounds[-1][side]["generated"]]
    )
    ours, peers = (_mean_losses(rounds[-1][side]["response_loss"]) for side in SIDES)
    apart = {split: max(abs(ours[key] - peers[key]) for key in ours if key[1] == split) for _, split in ours}
    losses = ", ".join(f"{nats:.2g} nats on {split}" for split, nats in apart.items())
    return f"{generated}. The largest difference between a model's response loss here and there: {losses}."


def _mean_losses(losses: dict[str, dict[str, dict[str, float]]]) -> dict[tuple[str, str], float]:
    """By model and split."""
    return {
        (model, split): statistics.mean(items.values()) for model, by in losses.items() for split, items in by.items()
    }
