"""Whether the figures of a report are made, a second a report, and rendered: three files for each of nine, ten
seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from clpd_bench.report import report
from clpd_bench.report.figures import draw

SAVED, DRAW = draw.saved, report.draw
_seen: set[tuple[tuple[type, str | None, str], ...]] = set()


def _laid_out(figure: Figure) -> tuple[bytes, bytes, bytes]:
    """Files that stand for the figure's.

    The first of each kind is laid out, so that one which cannot be drawn still fails: a kind has the same artists with
    the same words, whatever their data.
    """
    kind = tuple(
        (type(one), one.get_gid(), one.get_text() if isinstance(one, Text) else "") for one in figure.findobj()
    )
    if kind not in _seen:
        _seen.add(kind)
        figure.draw_without_rendering()
    return b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF", b"PNG"


@contextmanager
def undrawn() -> Iterator[None]:
    """Reports are written without figures; those over axes or several files are made, without a picture in them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "draw", lambda *_: draw.Figures([], {}, []))
        patch.setattr(draw, "saved", _laid_out)
        yield


@contextmanager
def sketched() -> Iterator[None]:
    """Reports have all their figures, made, without a picture in their files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "draw", DRAW)
        yield


@contextmanager
def rendered() -> Iterator[None]:
    """Reports have their pictures, whatever holds around this."""
    with sketched(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "saved", SAVED)
        yield
