"""Tables of the page: declared columns and report tables as headings, row groups and cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, groupby

from trial_evidence.files import Record, records
from trial_evidence.report.material.material import ReportTable
from trial_evidence.report.page.sources import Link, linked_cell
from trial_evidence.report.words.formats import Column, Format, cell

# Columns that hold the title of an analysis, which becomes a link to it.
TITLES = ("Analysis", "Comparison and outcome")
SOURCES = ("Source", "Sources")
# Heading of the links that belong into no other column.
LINKS = "Links"
# Of half a printed page; characters in the longest cells of the rows, which make their height.
_MOST_ROWS, _MOST_CHARACTERS = 8, 900


@dataclass(frozen=True)
class Cell:
    """A text and its links."""

    text: str
    links: tuple[Link, ...] = ()

    @property
    def is_link(self) -> bool:
        """Whether the text itself is the link, rather than followed by links."""
        return bool(self.links) and self.links[0].text == self.text


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Rows below a common heading, or without one (``None``)."""

    heading: Cell | None
    rows: tuple[Row, ...]

    @property
    def is_long(self) -> bool:
        """Whether it may take more than half of a printed page."""
        longest = sum(max(len(cell.text) for cell in row) for row in self.rows)
        return len(self.rows) > _MOST_ROWS or longest > _MOST_CHARACTERS


@dataclass(frozen=True)
class Grid:
    """A printed table; `name` is the name of the report table, if it is one."""

    title: str
    headings: tuple[str, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    name: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of all groups."""
        return tuple(row for group in self.groups for row in group.rows)


def grid(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    notes: Sequence[str] = (),
    name: str = "",
    *,
    filled: bool = False,
) -> Grid:
    """A table whose first column becomes group headings if neighbouring rows share its text.

    This is done if the number of runs of equal text is at most half the number of rows. With
    `filled`, empty columns are left out.
    """
    lines = [tuple(row) for row in rows]
    if filled:
        kept = [any(c.text or c.links for c in column) for column in zip(*lines, strict=True)]
        headings = list(compress(headings, kept))
        lines = [tuple(compress(line, kept)) for line in lines]
    runs = [list(found) for _, found in groupby(lines, key=lambda row: row[0].text)]
    groups = [Group(None, tuple(lines))]
    if len(headings) > 2 and len(runs) <= len(lines) / 2:
        headings = headings[1:]
        groups = [Group(_shared(run), tuple(row[1:] for row in run)) for run in runs]
    return Grid(title, tuple(headings), tuple(groups), tuple(notes), name)


def declared_grid(
    formats: Mapping[str, Format],
    title: str,
    rows: Sequence[Record],
    columns: Sequence[Column],
    notes: Sequence[str] = (),
) -> Grid:
    """A table of declared columns without the empty ones; see :func:`grid`.

    Parameters
    ----------
    formats : mapping
        Name -> function of a row and of the column's arguments.
    columns : sequence
        Heading, name of a format, and its arguments: ``("Ratio", "effect", "ratio")``.
    """
    found = [[cell(formats, row, column) for column in columns] for row in rows]
    cells = [[one if isinstance(one, Cell) else Cell(one) for one in line] for line in found]
    return grid(title, [column[0] for column in columns], cells, notes, filled=True)


def report_grid(table: ReportTable, places: Mapping[str, str]) -> Grid:
    """A table of the report for the page, with links in its cells or in a separate column.

    Parameters
    ----------
    places : mapping of str to str
        ``setting/analysis`` -> its anchor in the page, to which rows on it link.
    """
    headings = [str(heading) for heading in table.frame.columns]
    source = next((heading for heading in headings if heading in SOURCES), None)
    title = next((heading for heading in headings if heading in TITLES), None)
    lines: list[dict[str, Cell]] = []
    for cells, data in zip(records(table.frame), records(table.data), strict=True):
        line = {heading: Cell(text, linked_cell(text)) for heading, text in cells.items()}
        placed = {link.address for cell in line.values() for link in cell.links}
        outside = tuple(link for link in _outside(data) if link.address not in placed)
        target = places.get(f"{data.get('setting', '')}/{data.get('analysis', '')}")
        if source is not None:
            line[source] = Cell(cells[source], outside)
            outside = ()
        if target and title is not None:
            line[title] = Cell(cells[title], (Link(cells[title], f"#{target}"),))
        elif target:
            outside = (*outside, Link("Analysis", f"#{target}"))
        lines.append(line | {LINKS: Cell("", outside)})
    if any(line[LINKS].links for line in lines):
        headings.append(LINKS)
    rows = [[line[heading] for heading in headings] for line in lines]
    return grid(table.title, headings, rows, table.notes, table.name)


def _outside(data: Record) -> tuple[Link, ...]:
    """Links to registration, DOI and PubMed of a row; a row with two sources has two of each."""
    texts = [text for column in ("nct", "doi") for text in str(data.get(column, "")).split("; ")]
    found = [text.removesuffix(".0") for text in str(data.get("pmid", "")).split("; ")]
    texts += [f"PMID {text}" for text in found if text.isdecimal()]
    return tuple(dict.fromkeys(link for text in texts for link in linked_cell(text)))


def _shared(rows: Sequence[Row]) -> Cell:
    """The first cells of a group as one, with their links if all have the same."""
    cells = [row[0] for row in rows]
    return cells[0] if len({cell.links for cell in cells}) == 1 else Cell(cells[0].text)
