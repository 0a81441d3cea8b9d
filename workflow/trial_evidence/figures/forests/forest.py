"""A forest plot, described in columns and rows; `layout` places it on a page."""

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
# How kinds of rows are set: the texts of those indented keep to their columns and have bands behind
# every second of them, the first text of any other may run on.
BOLD = frozenset[RowKind]({"heading", "subtotal", "overall"})
MUTED = frozenset[RowKind]({"unpooled", "prediction"})
INDENTED = frozenset[RowKind]({"trial", "unpooled", "pooled"})


@dataclass(frozen=True)
class Column:
    """A column of text beside the panel.

    Parameters
    ----------
    key
        Name by which rows give their text for this column.
    header
        Heading; ``\\n`` breaks it into lines.
    align
        Left-aligned columns hold words: on a narrow page they are wrapped to two lines. Others
        hold figures and are never broken or cut.
    side
        Side of the panel.
    priority
        0 stays on any page. When a page is too narrow, the columns of the highest priority go
        first, all that share it together (one arm's events are of no use without the other's),
        below the names of the first column; columns below 0 go last.
    lights
        Headings of discs that stand in the column in place of text, as risk-of-bias judgements
        do; a style decides whether they are drawn.
    note
        Small print that explains the column, printed where the column is.
    unit
        Follows its numbers where they stand below the first column, far from their heading.
    switch
        Field of the style that says whether the column is shown; empty where it always is.
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
        """Whether a style asks for it."""
        switch = self.switch or ("risk_of_bias" if self.lights else "")
        return not switch or bool(getattr(style, switch))

    def heading(self, room_mm: float, size_pt: float) -> list[str]:
        """The lines of its heading within a width."""
        parts = self.header.split("\n")
        return [line for part in parts for line in wrap(part, room_mm, size_pt, True)]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Parameters
    ----------
    kind
        What the row is, which decides how it looks: heading of a subgroup; trial; unpooled (shown,
        but not in any pooled result); pooled (one pooled result among others, set like a trial);
        subtotal; overall; secondary (another model's overall
        result); prediction (interval for a new trial); text; gap (half a row of nothing).
    texts
        Text by column key; a missing key is an empty cell.
    estimate, low, high
        Estimate and limits on the analysis scale (log ratio, difference or logit); None or NaN
        where not known, infinite where a limit does not exist.
    weight
        Weight in percent, which the area of a trial's square follows; None for a hollow square.
    lights
        Judgements for the column that has lights, one for each; empty for none.
    prediction
        Limits of a prediction interval, drawn as a bar behind the row's own mark; None for none.
    remark, mark
        What a footnote says of its result, and the mark behind the result that leads there.
    sources
        Ids of the sources of its result, whose numbers stand beside its name.
    below
        What stands under its first text, of columns that have no room of their own.
    inset
        Whether it is set in under the row above it, of which it is a part.
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
        """What stands in a column; empty where nothing does."""
        return self.texts.get(column.key, "")

    def tidy(self) -> "Row":
        """The row with its texts on one line and NaN turned into None."""
        estimate, low, high, weight = (
            None if value is None or math.isnan(value) else float(value)
            for value in (self.estimate, self.low, self.high, self.weight)
        )
        texts = {key: clean(text) for key, text in self.texts.items()}
        return replace(self, texts=texts, estimate=estimate, low=low, high=high, weight=weight)


def headed(rows: Sequence[Row], heading: str, column: str = "trial") -> list[Row]:
    """A heading, and a gap before it where rows come before."""
    return [*gap(rows), Row("heading", {column: heading})]


def gap(rows: Sequence[Row]) -> list[Row]:
    """Half a row of nothing, where rows come before."""
    return [Row("gap")] if rows else []


@dataclass(frozen=True)
class Forest(Described):
    """A forest plot, described.

    Parameters
    ----------
    columns
        From left to right on either side; the first is the one that headings may run beyond.
    rows
        From top to bottom.
    axis
        The panel's axis.
    overall
        Value on the analysis scale that a dashed line marks down to the first overall row.
    say
        The language in which the page speaks of what it had no room for.
    numbers
        Numbers of sources in a list of references.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    axis: Axis
    overall: float | None = None
    say: Labels = ENGLISH_LABELS
    numbers: Mapping[str, int] = field(default_factory=dict)

    def numbered(self) -> "Forest":
        """With the numbers of its sources at the name of every row that has any."""
        first = self.columns[0].key

        def named(row: Row) -> Row:
            found = sorted(self.numbers[key] for key in row.sources if key in self.numbers)
            listed = ",".join(map(str, found))
            texts = {**row.texts, first: f"{row.texts[first]} [{listed}]"} if found else row.texts
            return replace(row, texts=texts)

        return replace(self, rows=tuple(map(named, self.rows)))

    def marked(self) -> "Forest":
        """With a mark at every result that has a remark, and the remarks as footnotes."""
        remarks = dict.fromkeys(row.remark for row in self.rows if row.remark)
        marks = dict(zip(remarks, map(footnote_mark, count()), strict=False))
        rows = tuple(replace(row, mark=marks.get(row.remark, "")) for row in self.rows)
        said = tuple(f"{mark} {remark}." for remark, mark in marks.items())
        return replace(self, rows=rows, footnotes=(*said, *self.footnotes))
