"""A forest plot described by its columns and rows; `layout` places it on a page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

from trial_evidence.config.labels import ENGLISH_LABELS, Labels
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import Described, Judgement
from trial_evidence.figures.canvas.page import Align
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import clean, wrap
from trial_evidence.words.numbers import footnote_mark

# The column of the results.
RESULT = "result"
RowKind = Literal[
    "heading", "trial", "unpooled", "pooled", "subtotal", "overall", "secondary", "prediction",
    "text", "gap",
]  # fmt: skip
# How kinds of rows are set. Indented rows are banded, every second one shaded, and their texts keep
# to the columns; the first text of any other row may run over the next columns.
BOLD = frozenset[RowKind]({"heading", "subtotal", "overall"})
MUTED = frozenset[RowKind]({"unpooled", "prediction"})
INDENTED = frozenset[RowKind]({"trial", "unpooled", "pooled"})


@dataclass(frozen=True)
class Column:
    """A column of text next to the panel.

    Parameters
    ----------
    key
        Name under which rows give their text for this column.
    header
        Heading; ``\\n`` breaks it into lines.
    align
        Left-aligned columns hold words, wrapped to two lines on a narrow page. Others hold numbers
        and are never broken or cut.
    side
        Side of the panel.
    priority
        0 always keeps its own column. If the page is too narrow, the texts of the columns with the
        highest priority move below the names in the first column, all columns of one priority
        together (one arm's events are useless without the other's); columns below 0 move last.
    lights
        Headings of discs that the column shows instead of text, such as risk-of-bias judgements;
        the style decides whether they are drawn.
    note
        Small print that explains the column, printed if the column is.
    unit
        Follows the numbers if they move below the first column, away from their heading.
    switch
        Field of the style that decides whether the column is shown; empty if it always is.
    """

    key: str
    header: str
    align: Align
    side: Literal["left", "right"]
    priority: int = 0
    lights: tuple[str, ...] = ()
    note: str = ""
    unit: str = ""
    switch: str = ""

    def shown(self, style: Style) -> bool:
        """Whether the style shows it."""
        switch = self.switch or ("risk_of_bias" if self.lights else "")
        return not switch or bool(getattr(style, switch))

    def heading(self, room_mm: float, size_pt: float) -> list[str]:
        """The lines of its heading, wrapped to a width."""
        parts = self.header.split("\n")
        return [line for part in parts for line in wrap(part, room_mm, size_pt, True)]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Parameters
    ----------
    kind
        Decides the look of the row: heading of a subgroup; trial; unpooled (shown, but not in any
        pooled result); pooled (one pooled result among others, set like a trial); subtotal;
        overall; secondary (overall result of another model); prediction (interval for a new trial);
        text; gap (half an empty row).
    texts
        Text by column key; a missing key is an empty cell.
    estimate, low, high
        Estimate and limits on the analysis scale (log ratio, difference or logit); None or NaN if
        unknown, infinite if a limit does not exist.
    weight
        Weight in percent, to which the area of a trial's square is proportional; None for a hollow
        square.
    lights
        Judgements for the column with lights, one per light; empty for none.
    prediction
        Limits of a prediction interval, drawn as a bar behind the row's own mark; None for none.
    remark, mark
        Footnote on its result, and the mark after the result that refers to it.
    sources
        Ids of the sources of its result; their numbers follow the name.
    below
        Text under the first cell, from columns without room of their own.
    inset
        Whether the row is indented as part of the row above it.
    """

    kind: RowKind
    texts: Mapping[str, str] = field(default_factory=dict)
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    lights: tuple[Judgement, ...] = ()
    prediction: tuple[float, float] | None = None
    remark: str = ""
    mark: str = ""
    sources: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    inset: bool = False

    def text(self, column: Column) -> str:
        """Text in a column; empty if there is none."""
        return self.texts.get(column.key, "")

    def tidy(self) -> "Row":
        """The row with each text on one line and NaN replaced by None."""
        estimate, low, high, weight = (
            None if value is None or math.isnan(value) else float(value)
            for value in (self.estimate, self.low, self.high, self.weight)
        )
        texts = {key: clean(text) for key, text in self.texts.items()}
        return replace(self, texts=texts, estimate=estimate, low=low, high=high, weight=weight)


def headed(rows: Sequence[Row], heading: str, column: str = "trial") -> list[Row]:
    """A heading, preceded by a gap unless it is the first row."""
    return [*gap(rows), Row("heading", {column: heading})]


def gap(rows: Sequence[Row]) -> list[Row]:
    """Half an empty row, unless it would be the first row."""
    return [Row("gap")] if rows else []


@dataclass(frozen=True)
class Forest(Described):
    """The description of a forest plot.

    Parameters
    ----------
    columns
        From left to right on either side; headings may run beyond the first.
    rows
        From top to bottom.
    axis
        The panel's axis.
    overall
        Value on the analysis scale, marked by a dashed line down to the first overall row.
    say
        Labels in the language of the page, for notes on what it had no room for.
    numbers
        Reference numbers by source id.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    axis: Axis
    overall: float | None = None
    say: Labels = ENGLISH_LABELS
    numbers: Mapping[str, int] = field(default_factory=dict)

    def numbered(self) -> "Forest":
        """With the reference numbers of its sources after the name in every row that has any."""
        first = self.columns[0].key

        def named(row: Row) -> Row:
            found = sorted(self.numbers[key] for key in row.sources if key in self.numbers)
            listed = ",".join(map(str, found))
            texts = {**row.texts, first: f"{row.texts[first]} [{listed}]"} if found else row.texts
            return replace(row, texts=texts)

        return replace(self, rows=tuple(map(named, self.rows)))

    def marked(self) -> "Forest":
        """With a mark after every result that has a remark, and the remarks as footnotes."""
        remarks = dict.fromkeys(row.remark for row in self.rows if row.remark)
        marks = dict(zip(remarks, map(footnote_mark, count()), strict=False))
        rows = tuple(replace(row, mark=marks.get(row.remark, "")) for row in self.rows)
        said = tuple(f"{mark} {remark}." for remark, mark in marks.items())
        return replace(self, rows=rows, footnotes=(*said, *self.footnotes))
