"""A forest plot, described in columns and rows; `layout` places it on a page."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import PHRASES, Judgement, Phrases
from trial_evidence.figures.canvas.page import Align
from trial_evidence.figures.canvas.text import clean

RowKind = Literal[
    "heading", "trial", "unpooled", "pooled", "subtotal", "overall", "secondary", "prediction",
    "text", "gap",
]  # fmt: skip


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
        first, all that share it together (one arm's events are of no use without the other's);
        columns below 0 go last, when nothing else leaves room for the panel.
    lights
        Headings of discs that stand in the column in place of text, as risk-of-bias judgements
        do; a style decides whether they are drawn.
    note
        Small print that explains the column, printed where the column is.
    """

    key: str
    header: str
    align: Align
    side: Literal["left", "right"]
    priority: int = 0
    lights: tuple[str, ...] = ()
    note: str = ""

    @property
    def header_lines(self) -> list[str]:
        """The heading, line by line."""
        return [clean(line) for line in self.header.split("\n")]


@dataclass(frozen=True)
class Look:
    """How the text of a kind of row is set."""

    bold: bool = False
    muted: bool = False
    indented: bool = False
    banded: bool = False
    runs_on: bool = False


LOOKS: Mapping[RowKind, Look] = {
    "heading": Look(bold=True, runs_on=True),
    "trial": Look(indented=True, banded=True),
    "unpooled": Look(indented=True, banded=True, muted=True),
    "pooled": Look(indented=True, banded=True),
    "subtotal": Look(bold=True, runs_on=True),
    "overall": Look(bold=True, runs_on=True),
    "secondary": Look(runs_on=True),
    "prediction": Look(muted=True, runs_on=True),
    "text": Look(runs_on=True),
    "gap": Look(),
}


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
    """

    kind: RowKind
    texts: Mapping[str, str] = field(default_factory=dict)
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float | None = None
    lights: tuple[Judgement, ...] = ()
    prediction: tuple[float, float] | None = None

    @property
    def look(self) -> Look:
        """How its text is set."""
        return LOOKS[self.kind]

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


@dataclass(frozen=True)
class Forest:
    """A forest plot, described.

    Parameters
    ----------
    title
        Heading of the figure.
    columns
        From left to right on either side; the first is the one that headings may run beyond.
    rows
        From top to bottom.
    axis
        The panel's axis.
    overall
        Value on the analysis scale that a dashed line marks down to the first overall row.
    notes
        Sentences under the axis, in the size of the table.
    footnotes
        Small print at the foot.
    description
        What the figure shows, in words, for readers who do not see it.
    phrases
        What the page says of itself.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    axis: Axis
    overall: float | None = None
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    description: str = ""
    phrases: Phrases = PHRASES
