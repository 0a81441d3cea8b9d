"""A finished page as the reader sees it: its tables and sentences by section."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Table:
    """A table of a page.

    Attributes
    ----------
    section : str
        Id of the section that it stands in.
    caption : str
    headings : list of str
    rows : list of dict
        Heading -> text of the cell; ``group`` is the heading above the row, if there is one, and
        ``id`` the anchor of the row.
    """

    section: str
    caption: str = ""
    headings: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)


@dataclass
class FinishedPage:
    """Tables, paragraphs and list items, each with the id of its section."""

    tables: list[Table]
    sentences: list[tuple[str, str]]

    def table(self, caption: str, section: str = "") -> Table:
        """The only table with this caption, in one section or in the whole page."""
        (found,) = (t for t in self.tables if t.caption == caption and section in ("", t.section))
        return found

    def said(self, section: str) -> Iterator[str]:
        """Paragraphs and list items of a section itself."""
        yield from (text for where, text in self.sentences if where == section)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = FinishedPage([], [])
        self.sections: list[str] = []
        self.texts: list[str] | None = None
        self.row: list[str] = []
        self.group = self.anchor = ""
        self.in_head = self.is_group = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "section":
            self.sections.append(attributes.get("id", ""))
        elif tag == "table":
            self.found.tables.append(Table(self.sections[-1] if self.sections else ""))
        elif tag in ("thead", "tbody"):
            self.in_head, self.group = tag == "thead", ""
        elif tag == "tr":
            self.row, self.anchor = [], attributes.get("id", "")
            self.is_group = attributes.get("class") == "group"
        elif tag in ("th", "td", "caption", "p", "li"):
            self.texts = []

    def handle_data(self, data: str) -> None:
        if self.texts is not None:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self.sections.pop()
        elif tag in ("th", "td", "caption", "p", "li") and self.texts is not None:
            text, self.texts = " ".join("".join(self.texts).split()), None
            if tag in ("p", "li"):
                self.found.sentences.append((self.sections[-1] if self.sections else "", text))
            elif tag == "caption":
                self.found.tables[-1].caption = text
            else:
                self.row.append(text)
        elif tag == "tr":
            self._end_row()

    def _end_row(self) -> None:
        table = self.found.tables[-1]
        if self.in_head:
            table.headings = self.row
        elif self.is_group:
            (self.group,) = self.row
        elif len(self.row) == len(table.headings):
            cells = dict(zip(table.headings, self.row, strict=True))
            table.rows.append({"group": self.group, "id": self.anchor} | cells)


def read_page(text: str) -> FinishedPage:
    """Read a page without its scripts and figures."""
    reader = _Reader()
    reader.feed(text)
    return reader.found
