"""Training, validation and test of one source.

A question in two of them is refused, or left out of one and counted.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sameness import sameness, share_of
from clpd_bench.corpus.shared_questions import Texts
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.sources import Limit
from clpd_bench.settings.plugin import Overlap

Parts = dict[str, list[Example]]
LEDGER = "dropped.jsonl"
SHOWN = 3
"""Questions in the summary; all of them stand in the ledger."""


@dataclass(frozen=True)
class Dropped:
    """An example that was left out of a part, and the one of another part for which it was."""

    part: str
    example: Example
    other_part: str
    other: Example


@dataclass(frozen=True)
class Ledger:
    """Attributes:
    overlap: what the source says is done.
    of: how many examples each part had.
    """

    overlap: Overlap
    of: dict[str, int]
    dropped: list[Dropped]

    def summary(self) -> dict[str, Any]:
        """By part that lost any: how many of how many, and its first questions."""
        lost = {
            part: {
                "examples": len(mine),
                "of": self.of[part],
                "first": [one.example.question for one in mine[:SHOWN]],
            }
            for part in self.of
            if (mine := [one for one in self.dropped if one.part == part])
        }
        return {"policy": self.overlap, "dropped": lost}

    def write(self, folder: Path) -> None:
        """A line for each example that was left out."""
        with (folder / LEDGER).open("w", encoding="utf-8") as file:
            for one in self.dropped:
                line = {
                    "part": one.part,
                    "question": one.example.question,
                    "answer": one.example.answer,
                    "stands_in": one.other_part,
                    "as": one.other.question,
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def settled(parts: Parts, overlap: Overlap, place: Path) -> tuple[Parts, Ledger]:
    """The parts without a question in two of them, and what was left out for that.

    Args:
        parts: from training to test.
        place: the file to name where examples do not name their own.

    Raises:
        UserError: two parts share a question and that is to be refused, or nothing would be left of one.
    """
    left, dropped = dict(parts), list[Dropped]()
    for nearer, farther in itertools.combinations(parts, 2):
        giving, keeping = (farther, nearer) if overlap == "drop_test" else (nearer, farther)
        mine, others = left[giving], left[keeping]
        shared = Texts([e.question for e in mine]).found_in(Texts([e.question for e in others]))
        if not shared:
            continue
        found = [Dropped(giving, mine[i], keeping, others[j]) for i, j in sorted(shared.items())]
        if overlap == "refuse":
            raise _refused(found, len(mine), place)
        left[giving] = [e for i, e in enumerate(mine) if i not in shared]
        if not left[giving]:
            raise UserError(
                f"overlap: {overlap} leaves nothing of the {giving} part: all of its {len(mine)} questions stand in "
                f"the {keeping} part",
                file=place,
                key="source.overlap",
                fix="Let the other part give way, or give another file",
            )
        dropped += found
    return left, Ledger(overlap, {part: len(examples) for part, examples in parts.items()}, dropped)


def _refused(found: list[Dropped], of: int, place: Path) -> UserError:
    first, one = found[0], len(found) == 1
    as_what = "" if first.other.question == first.example.question else f" as {first.other.question[:60]!r}"
    where = f" ({first.other.file}:{first.other.line})" if first.other.file else ""
    return UserError(
        f"{len(found)} of {of} questions of the {first.part} part {'stands' if one else 'stand'} in the "
        f"{first.other_part} part too, first {first.example.question[:60]!r}{as_what}{where}",
        file=first.example.file or place,
        line=first.example.line,
        fix="Say in the source which of the two gives way, `overlap: drop_train` or `overlap: drop_test` (what is left "
        "out is counted on the report's page), or take them out of one of the two files",
    )


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
