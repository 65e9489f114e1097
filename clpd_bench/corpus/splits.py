"""Training, validation and test, made of what a source has."""

from __future__ import annotations

from pathlib import Path

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sameness import sameness, share_of
from clpd_bench.corpus.shared import Texts
from clpd_bench.errors import UserError
from clpd_bench.settings.sources import Limit


def carved(
    training: list[Example], test: list[Example], validation: float, limit: Limit, files: tuple[Path, Path]
) -> dict[str, list[Example]]:
    """Examples by split; validation is carved out of the training part by a hash of the question, so that those that
    are the same question stay together.

    Args:
        files: where the two parts come from, for messages.

    Raises:
        UserError: a split is empty.
    """
    train, held_out = _held_out(training, validation)
    for split, examples in (("train", train), ("validation", held_out), ("test", test)):
        if not examples:
            raise UserError(
                f"the {split} split is empty",
                file=files[1] if split == "test" else files[0],
                key="source.validation" if split != "test" else "source.test",
                fix="Give a larger file, or another share for validation",
            )
    return {"train": _limited(train, limit.train), "validation": held_out, "test": _limited(test, limit.test)}


def _held_out(training: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """(train, validation). A question that holds one of training, or stands in one, goes there too, and so on."""
    shares = [share_of(sameness(e.question)) for e in training]
    train = [e for e, one in zip(training, shares, strict=True) if one >= share]
    held_out = [e for e, one in zip(training, shares, strict=True) if one < share]
    added = train
    while added and held_out:
        shared = Texts([e.question for e in held_out]).found_in(Texts([e.question for e in added]))
        added = [held_out[i] for i in shared]
        train = [*train, *added]
        held_out = [e for i, e in enumerate(held_out) if i not in shared]
    return train, held_out


def _limited(examples: list[Example], limit: int | None) -> list[Example]:
    """Those with the lowest ids: a sample that does not depend on the order of the file."""
    if limit is None or limit >= len(examples):
        return examples
    chosen = sorted(zip(example_ids(examples), range(len(examples)), strict=True))[:limit]
    return [examples[i] for _, i in chosen]
