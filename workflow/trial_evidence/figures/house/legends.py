"""Legends under the panel: keys in rows that fit the page, and the scales that produce them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotnine as p9
from matplotlib.offsetbox import HPacker, PackerBase

from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import wrap
from trial_evidence.figures.house.marks import line_width
from trial_evidence.figures.house.scales import widest_mm

KEY_MM = 5.0
# a point small enough for a key, which is no taller than a capital
SMALL = {"size": 1.6}
# width of the labels of a vertical axis; legends begin where the panel does
_LEFT_MM = 8.0

Stroke = tuple[str, float, Any]
"""Colour, width in points and dashes of a line."""


@dataclass(frozen=True)
class Legend:
    """Keys of one guide in rows that fit the page: their values and printed labels.

    `looks` is the look of every key, by aesthetic; `override` is what differs between the keys and
    the marks.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    columns: int
    rows: int
    width_mm: float
    room_mm: float
    override: Mapping[str, Any]
    looks: Mapping[str, Sequence[Any]]

    def scales(self, order: int) -> list[Any]:
        """A scale for each aesthetic, with their common guide at this position among the guides."""
        overrides = [self.override, *[{}] * len(self.looks)]
        return [
            getattr(p9, f"scale_{name}_manual")(
                limits=list(self.keys),
                values=list(looks),
                labels=list(self.labels),
                guide=p9.guide_legend(
                    title="", ncol=self.columns, byrow=True, order=order, override_aes=dict(own)
                ),
            )
            for (name, looks), own in zip(self.looks.items(), overrides, strict=False)
        ]


def legend(
    labels: Sequence[str] | Mapping[str, str],
    style: Style,
    override: Mapping[str, Any] | None = None,
    left_mm: float = _LEFT_MM,
    **looks: Sequence[Any],
) -> Legend:
    """Lay out the keys of a guide, as many side by side as the page has room for.

    Parameters
    ----------
    labels
        Meanings of the keys, in order; a mapping from values if these differ from the meanings.
    style
        Sizes; a label too long for the page is wrapped.
    override
        Aesthetics in which the keys differ from the marks.
    left_mm
        Space left of the panel, kept free of legends.
    looks
        The look of every key, by aesthetic: ``color=["#000000", ...]``.
    """
    room = style.width_mm - 2 * style.margin_mm - left_mm
    indent = KEY_MM + style.block_gap_mm
    meanings = labels.values() if isinstance(labels, Mapping) else labels
    lines = [wrap(label, room - indent, style.text_pt) for label in meanings]
    widths = [indent + widest_mm(broken, style.text_pt) for broken in lines]

    def rows_of(columns: int) -> list[range]:
        every = range(len(lines))
        return [every[at : at + columns] for at in every[::columns]]

    def row_mm(row: Sequence[int]) -> float:
        return sum(widths[key] for key in row) + (len(row) - 1) * style.column_gap_mm

    columns = next(
        (n for n in range(len(lines), 1, -1) if all(row_mm(row) <= room for row in rows_of(n))), 1
    )
    rows = rows_of(columns)
    return Legend(
        tuple(labels),
        tuple(map("\n".join, lines)),
        columns,
        sum(max(len(lines[key]) for key in row) for row in rows),
        max(map(row_mm, rows), default=0.0),
        room,
        override or {},
        looks,
    )


def line_legend(
    looks: Mapping[str, Stroke],
    meanings: Mapping[Any, str],
    style: Style,
    left_mm: float = _LEFT_MM,
) -> Legend:
    """A guide of line types, restricted to those in `looks` that have a meaning in the chart."""
    kinds = [kind for kind in looks if kind in meanings]
    colours, points, dashes = zip(*(looks[kind] for kind in kinds), strict=True)
    sizes = [*map(line_width, points)]
    named = {kind: meanings[kind] for kind in kinds}
    return legend(named, style, left_mm=left_mm, color=colours, size=sizes, linetype=dashes)


def side_by_side(legends: Sequence[Legend], style: Style) -> list[list[Legend]]:
    """Rows of legends that fit side by side; a legend of several lines gets its own row."""
    rows: list[list[Legend]] = []
    for one in legends:
        row = [*(rows[-1] if rows else []), one]
        width = sum(other.width_mm + style.column_gap_mm for other in row) - style.column_gap_mm
        if len(row) > 1 and width <= one.room_mm and all(other.rows == 1 for other in row):
            rows[-1] = row
        else:
            rows.append([one])
    return rows


class LegendRows(p9.guides):
    """Legends in rows, side by side; plotnine itself stacks them in one direction only."""

    def __init__(self, counts: Sequence[int], gap: float) -> None:
        super().__init__()
        self.counts, self.gap = counts, gap

    def __radd__(self, plot: p9.ggplot) -> p9.ggplot:
        plot.guides = self
        return plot

    def _apply_guide_themes(self, gdefs: list[Any]) -> None:
        for guide in gdefs:
            # its theme is that of the plot, which is applied to the panels later, and once
            guide.theme.axs = []
        super()._apply_guide_themes(gdefs)

    def _assemble_guides(self, gdefs: list[Any], boxes: list[Any]) -> Any:
        left = list(boxes)
        counts = [*self.counts, *[1] * len(boxes)]
        rows: list[PackerBase] = []
        while left:
            count = counts.pop(0)
            rows.append(HPacker(children=left[:count], align="baseline", sep=self.gap, pad=0))
            left = left[count:]
        for packer in (packer for row in rows for packer in _packers(row)):
            # align keys on one baseline, with or without descenders
            packer.align = "baseline"
        return super()._assemble_guides(gdefs[: len(rows)], rows)


def _packers(box: Any) -> Iterator[HPacker]:
    if isinstance(box, HPacker):
        yield box
    for child in box.get_children() if isinstance(box, PackerBase) else ():
        yield from _packers(child)
