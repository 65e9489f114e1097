"""What a file that holds a mistake is refused with."""

from __future__ import annotations

from pathlib import Path

import pytest

from clpd_bench.errors import UserError
from clpd_bench.grid.load import load_ablation


def refused(file: Path, *sets: str, more: str = "", instead: tuple[str, str] | None = None) -> UserError:
    """The error that loading an ablation file ends with.

    Args:
        sets: as `--set` gives them.
        more: lines put below the file's own.
        instead: a text that stands once in the file, and what stands in its place.
    """
    text = file.read_text()
    if instead:
        assert text.count(instead[0]) == 1, instead[0]
        text = text.replace(*instead)
    file.write_text(f"{text}\n{more}\n" if more else text)
    with pytest.raises(UserError) as caught:
        load_ablation(file, list(sets))
    return caught.value
