"""One function of each kind, for example.yaml. docs/plugins.md says what each is given and returns.

Planning reads this file and never runs it; jobs run it, each from the bytes that were planned.
"""

import math
import random


def reverse_kl(logits, labels, targets, *, gap: float = 0.0, temperature: float = 1.0):
    """KL(q || p), less `gap` nats that are free. Wants whole distributions: targets without top_k."""
    import torch  # here, since planning runs `fading` and `late` and does without torch

    log_p = targets.logits / temperature - targets.log_z[:, None]
    log_q = torch.log_softmax(logits / temperature, dim=-1)
    return ((log_q.exp() * (log_q - log_p)).sum(-1) - gap).clamp(min=0)


def rare_digits(example, *, floor: int):
    """The share of the question's digits that are `floor` or above."""
    digits = [int(character) for character in example["question"] if character.isdigit()]
    return sum(digit >= floor for digit in digits) / len(digits)


def fading(stages, *, reach: float = 1.0):
    """The further a bucket lies from the stage, the less of it: exp(-distance / reach), balanced by turns
    until each stage and each bucket adds up to 1."""
    shares = [[math.exp(-abs(k - j) / reach) for j in range(stages)] for k in range(stages)]
    for _ in range(200):
        columns = [sum(row[j] for row in shares) for j in range(stages)]
        shares = [[share / columns[j] for j, share in enumerate(row)] for row in shares]
        shares = [[share / sum(row) for share in row] for row in shares]
    return shares


def late(stage, stages, teachers, *, alone: int = 1):
    """Nobody teaches the first `alone` stages, then the teachers take turns from the weakest on."""
    return 0 if stage <= alone else (stage - alone - 1) % teachers + 1


def comparisons(*, train: int, highest: int = 20, seed: int = 0):
    """`7<12?` is answered with the difference and then y or n."""
    pairs = [(a, b) for a in range(highest) for b in range(highest)]
    random.Random(seed).shuffle(pairs)

    def example(a, b):
        return {
            "question": f"{a}<{b}?",
            "rationale": f"{b}-{a}={b - a}",
            "answer": "y" if a < b else "n",
            "columns": {"distance": abs(a - b)},
        }

    examples = [example(a, b) for a, b in pairs]
    if train + 80 > len(examples):
        raise ValueError(f"{train} and 80 more examples wanted, and there are {len(examples)}")
    return {"train": examples[80:][:train], "validation": examples[:40], "test": examples[40:80]}
