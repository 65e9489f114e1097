"""A page as a test reads it: its text by section, its tags."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Attributes:
    tags: (name, attributes) of every start tag.
    sections: {id: text}; cells of tables end in a bar.
    rows: {section id: lists of cells, row by row}.
    styles: what stands in style elements and attributes.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self.rows: dict[str, list[list[str]]] = {}
        self.styles = ""
        self._section, self._inside = "", ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.styles += attributes.get("style") or ""
        self._inside = tag
        if tag == "section":
            self._section = attributes["id"] or ""
        elif tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        elif tag in ("td", "th"):
            self.rows[self._section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "li", "p", "small"):
            self.sections[self._section] = self.sections.get(self._section, "") + " "
        self._inside = "" if tag in ("style", "script") else self._inside
        if tag == "table":
            self.rows.setdefault(self._section, []).append([])

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.styles += data
            return
        self.sections[self._section] = self.sections.get(self._section, "") + data
        rows = self.rows.get(self._section)
        if rows and rows[-1]:
            rows[-1][-1] += data
