"""Training, validation and test, made of what a source has."""

from __future__ import annotations

from pathlib import Path

from clpd_bench.corpus.example import Example, example_ids, normalised, share_hash
from clpd_bench.errors import UserError
from clpd_bench.settings.sources import Limit


def carved(
    training: list[Example], test: list[Example], validation: float, limit: Limit, files: tuple[Path, Path]
) -> dict[str, list[Example]]:
    """Examples by split; validation is carved out of the training part by a hash of the question.

    Args:
        files: where the two parts come from, for messages.

    Raises:
        UserError: a split is empty, a test question stands in the training part.
    """
    _refuse_overlap(training, test)
    held_out = [e for e in training if share_hash(e.question) < validation]
    train = [e for e in training if share_hash(e.question) >= validation]
    for split, examples in (("train", train), ("validation", held_out), ("test", test)):
        if not examples:
            raise UserError(
                f"the {split} split is empty",
                file=files[1] if split == "test" else files[0],
                key="source.validation" if split != "test" else "source.test",
                fix="Give a larger file, or another share for validation",
            )
    return {"train": _limited(train, limit.train), "validation": held_out, "test": _limited(test, limit.test)}


def _limited(examples: list[Example], limit: int | None) -> list[Example]:
    """Those with the lowest ids: a sample that does not depend on the order of the file."""
    if limit is None or limit >= len(examples):
        return examples
    chosen = sorted(zip(example_ids(examples), range(len(examples)), strict=True))[:limit]
    return [examples[i] for _, i in chosen]


def _refuse_overlap(training: list[Example], test: list[Example]) -> None:
    places = {normalised(e.question): e for e in test}
    shared = [e for e in training if normalised(e.question) in places]
    if shared:
        first = shared[0]
        other = places[normalised(first.question)]
        raise UserError(
            f"{len(shared)} of its questions stand{'s' if len(shared) == 1 else ''} in the test file too, first "
            f"{first.question[:60]!r} ({other.file}:{other.line})",
            file=first.file,
            line=first.line,
            fix="Take them out of one of the two files",
        )
