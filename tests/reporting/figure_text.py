"""What every figure owes its reader: text that is large enough, inside the figure, and over no other text."""

from __future__ import annotations

from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from clpd_bench.report.figures.style import SMALL, WIDTH


def drawn_texts(figure: Figure) -> list[Text]:
    """All text that shows: matplotlib keeps labels of ticks outside an axis's range, and draws none of them."""
    unseen = set()
    for axes in figure.findobj(Axes):
        assert isinstance(axes, Axes)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    unseen |= {tick.label1, tick.label2}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [t for t in texts if t not in unseen and t.get_visible() and t.get_text().strip()]


def check_legible(figure: Figure) -> None:
    """Of a figure that has been drawn."""
    assert figure.get_figwidth() == WIDTH
    boxes = []
    for text in drawn_texts(figure):
        assert text.get_fontsize() >= SMALL, text.get_text()
        box = text.get_window_extent()
        assert box.x0 >= -0.5, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 0.5, text.get_text()
        assert box.y0 >= -0.5, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 0.5, text.get_text()
        boxes.append((text.get_text(), box.padded(-0.5)))
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.overlaps(b), (one, other)
