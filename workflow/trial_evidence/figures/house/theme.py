"""The house look of charts: theme, widths and sizes, words around the panel, legends.

A chart is a `plotnine.ggplot` of the page's width: add layers, scales or a theme to it as to any
other, and save it with `save` (see figures/house/publish.py).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import plotnine as p9
from matplotlib.axes import Axes
from matplotlib.offsetbox import HPacker, PackerBase

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    CAP_HEIGHT_EM,
    FONT_FAMILY,
    MM_PER_POINT,
    text_width_mm,
    wrap,
)
from trial_evidence.figures.house.scales import Span, favours_lines, natural

# a page as narrow as this has panels one below another
NARROW_MM = 100.0
DASHED = (0, (6, 3.4))
DOTTED = (0, (1, 1.8))

_POINTS_PER_SIZE = math.sqrt(math.pi)
MM_PER_INCH = 25.4
_KEY_MM = 5.0
# what the labels of a vertical axis take; legends begin where the panel does
_LEFT_MM = 8.0
# Height of a line of the font, of which the space between lines is a multiple
_LINE_EM = 0.94


@dataclass(frozen=True)
class Words:
    """What a chart says around its panel.

    `notes` are sentences under the legend, `footnotes` the small print below them.
    """

    title: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()

    def with_footnotes(self, *more: str) -> "Words":
        """The same words with more small print; empty strings add nothing."""
        return replace(self, footnotes=(*self.footnotes, *filter(None, more)))


def line_width(points: float) -> float:
    """The `size` of a line that is so many points wide."""
    return points / _POINTS_PER_SIZE


def point_size(diameter_mm: float, stroke: float = 0.0) -> float:
    """The `size` of a point that is so many millimetres wide, with its edge."""
    return diameter_mm / MM_PER_POINT / _POINTS_PER_SIZE - stroke


def disc(diameter_mm: float, fill: str, edge: str, style: Style) -> dict[str, Any]:
    """Settings of a `geom_point` with a thin edge."""
    stroke = line_width(style.hair_pt)
    return {
        "size": point_size(diameter_mm, stroke), "stroke": stroke, "fill": fill, "color": edge
    }  # fmt: skip


class geom_disc(p9.geom_point):
    """Points in a panel, whole even where they reach over its edge; keys as high as letters."""

    def draw_panel(self, data: pd.DataFrame, panel_params: Any, coord: Any, ax: Axes) -> None:
        """Draw those whose centre is in the panel."""
        ranges = {"x": panel_params.x.range, "y": panel_params.y.range}
        slack = {name: 1e-9 * (max(ends) - min(ends)) for name, ends in ranges.items()}
        inside = [
            data[name].between(min(ends) - slack[name], max(ends) + slack[name])
            for name, ends in ranges.items()
        ]
        there = len(ax.collections)
        super().draw_panel(data[inside[0] & inside[1]], panel_params, coord, ax)
        for points in ax.collections[there:]:
            points.set_clip_on(False)

    @staticmethod
    def legend_key_size(data: Any, min_size: tuple[int, int], lyr: Any) -> tuple[int, int]:
        """Size of a key in points."""
        return min_size


def reference_line(axis: Axis, style: Style, along: str = "x", **panel: Any) -> list[Any]:
    """The line of no effect across a panel, where the axis has one.

    With a value for the facets' column it is drawn in that panel only, on the analysis scale, as
    panels with axes of their own have it.
    """
    if axis.reference is None:
        return []
    at = axis.reference if panel else float(natural(axis.reference, axis.scale))
    frame = pd.DataFrame([{"reference": at, **panel}])
    looks = {"color": style.ink, "size": line_width(style.rule_pt)}
    if along == "x":
        return [p9.geom_vline(p9.aes(xintercept="reference"), frame, **looks)]
    return [p9.geom_hline(p9.aes(yintercept="reference"), frame, **looks)]


def panel_height_mm(style: Style) -> float:
    """Height of a panel that has the page for itself."""
    return min(88.0, 26.0 + 0.36 * style.width_mm)


def across_mm(style: Style, y: Span | None = None, columns: int = 1) -> float:
    """Room for a panel between its vertical axis and the edge of the page."""
    labels = () if y is None else y.labels
    beside = max((text_width_mm(label, style.text_pt) for label in labels), default=0.0)
    gaps = 2 * (columns - 1) * style.panel_gap_mm
    room = (style.width_mm - 2 * style.margin_mm - gaps) / columns
    return room - beside - 2 * style.tick_mm - text_width_mm("0", style.text_pt)


def leading_mm(size_pt: float, style: Style) -> float:
    """Height of a line of text."""
    return size_pt * MM_PER_POINT * style.leading


def house_theme(style: Style, aspect: float = 1.3) -> p9.theme:
    """The theme of all charts: white paper, thin axes, legend under the panel, text as measured.

    Parameters
    ----------
    style
        Sizes and colours; its fonts are those that `save` embeds.
    aspect
        Width of the figure over its height.

    Returns
    -------
    plotnine.theme
    """
    # plotnine takes margins above and below words for shares of the width
    upright = 1 / aspect
    rule = style.rule_pt
    mm = 1 / MM_PER_POINT
    gap = style.block_gap_mm * mm
    spread = style.leading / _LINE_EM
    tick = style.tick_mm * mm
    line = p9.element_line(color=style.ink, size=rule)

    def text(points: float, **more: Any) -> p9.element_text:
        return p9.element_text(size=points, color=style.ink, linespacing=spread, **more)

    return p9.theme_void(base_size=style.text_pt, base_family=FONT_FAMILY) + p9.theme(
        text=text(style.text_pt, family=FONT_FAMILY),
        plot_background=p9.element_rect(fill=style.paper, color="none"),
        plot_title=text(style.title_pt, weight="bold", ha="left", margin={"b": upright * gap}),
        plot_subtitle=text(style.text_pt, ha="left", margin={"b": 0.8 * upright * gap}),
        plot_caption=text(style.footnote_pt, ha="left", margin={"t": 1.5 * upright * gap}),
        plot_title_position="plot",
        plot_caption_position="plot",
        plot_margin=style.margin_mm / style.width_mm,
        axis_line=line,
        axis_ticks_major=line,
        axis_ticks_length_major=tick,
        axis_text_x=text(style.text_pt, margin={"t": 0.6 * tick}),
        axis_text_y=text(style.text_pt, ha="right", margin={"r": 0.6 * tick}),
        axis_title_x=text(style.text_pt, margin={"t": 0.3 * upright * style.text_pt}),
        strip_text=text(style.text_pt, weight="bold", ha="left", margin={"b": 0.5 * gap}),
        panel_spacing=2 * style.panel_gap_mm / style.width_mm,
        legend_position="bottom",
        legend_direction="horizontal",
        legend_box_just="left",
        legend_justification_bottom="left",
        legend_title=p9.element_blank(),
        legend_text=text(style.text_pt, va="baseline", margin={"l": 0.5 * gap}),
        legend_key=p9.element_blank(),
        legend_key_width=_KEY_MM * mm,
        legend_key_height=CAP_HEIGHT_EM * style.text_pt,
        legend_key_spacing_x=style.column_gap_mm * mm,
        legend_key_spacing_y=0.25 * style.text_pt,
        legend_box_spacing=style.block_gap_mm / style.width_mm,
        legend_margin=0,
    )


@dataclass(frozen=True)
class Legend:
    """Keys of one guide, set in rows that fit the page: their values, and these as printed."""

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    columns: int
    rows: int
    width_mm: float
    room_mm: float

    def scales(
        self, order: int, override: Mapping[str, Any] | None = None, **values: Sequence[Any]
    ) -> list[Any]:
        """The scales behind the keys.

        Parameters
        ----------
        order
            Place of the guide among those of its chart.
        override
            Aesthetics that the keys have otherwise than the marks.
        values
            What every key looks like, by aesthetic: ``color=["#000000", ...]``.

        Returns
        -------
        list
            A scale for each aesthetic, and their common guide.
        """

        def guide(override: Mapping[str, Any]) -> p9.guide_legend:
            return p9.guide_legend(
                title="", ncol=self.columns, byrow=True, order=order, override_aes=dict(override)
            )

        keys, labels = list(self.keys), list(self.labels)
        return [
            *(
                getattr(p9, f"scale_{name}_manual")(limits=keys, values=list(looks), labels=labels)
                for name, looks in values.items()
            ),
            p9.guides(
                **{name: guide({} if at else override or {}) for at, name in enumerate(values)}
            ),
        ]


def legend(
    labels: Sequence[str] | Mapping[str, str], style: Style, left_mm: float = _LEFT_MM
) -> Legend:
    """Lay out the keys of a guide: as many side by side as the page is wide.

    Parameters
    ----------
    labels
        Meanings of the keys, in their order, or by their values where these are not the same.
    style
        Sizes; a label too long for the page is broken into lines.
    left_mm
        Room left of the panel, where no legend stands.

    Returns
    -------
    Legend
    """
    room = style.width_mm - 2 * style.margin_mm - left_mm
    beside = _KEY_MM + style.block_gap_mm
    meanings = labels.values() if isinstance(labels, Mapping) else labels
    broken = ["\n".join(wrap(label, room - beside, style.text_pt)) for label in meanings]
    widths = [
        beside + max(text_width_mm(line, style.text_pt) for line in label.split("\n"))
        for label in broken
    ]

    def rows_of(columns: int) -> list[list[int]]:
        every = range(len(labels))
        return [list(every[at : at + columns]) for at in range(0, len(labels), columns)]

    def row_mm(row: list[int]) -> float:
        return sum(widths[key] for key in row) + (len(row) - 1) * style.column_gap_mm

    columns = next(
        (n for n in range(len(labels), 1, -1) if all(row_mm(row) <= room for row in rows_of(n))), 1
    )
    rows = rows_of(columns)
    lines = [max(broken[key].count("\n") + 1 for key in row) for row in rows]
    return Legend(
        tuple(labels), tuple(broken), columns, sum(lines), max(map(row_mm, rows), default=0.0), room
    )


def _rows(legends: Sequence[Legend], style: Style) -> list[list[Legend]]:
    """Legends that fit side by side; one of several lines has a row for itself."""
    rows: list[list[Legend]] = []
    for one in legends:
        row = [*(rows[-1] if rows else []), one]
        width = sum(other.width_mm + style.column_gap_mm for other in row) - style.column_gap_mm
        if len(row) > 1 and width <= one.room_mm and all(other.rows == 1 for other in row):
            rows[-1] = row
        else:
            rows.append([one])
    return rows


class _Rows(p9.guides):
    """Legends side by side in rows, which plotnine stacks in one direction only."""

    def __init__(self, counts: Sequence[int], gap: float) -> None:
        super().__init__()
        self.counts, self.gap = counts, gap

    def __radd__(self, plot: p9.ggplot) -> p9.ggplot:
        plot.guides = self
        return plot

    def _assemble_guides(self, gdefs: list[Any], boxes: list[Any]) -> Any:
        left = list(boxes)
        counts = [*self.counts, *[1] * len(boxes)]
        rows: list[PackerBase] = []
        while left:
            count = counts.pop(0)
            rows.append(HPacker(children=left[:count], align="baseline", sep=self.gap, pad=0))
            left = left[count:]
        for packer in (packer for row in rows for packer in _packers(row)):
            # keys stand on one line, with or without letters that reach below it
            packer.align = "baseline"
        return super()._assemble_guides(gdefs[: len(rows)], rows)


def _packers(box: Any) -> Iterator[HPacker]:
    if isinstance(box, HPacker):
        yield box
    for child in box.get_children() if isinstance(box, PackerBase) else ():
        yield from _packers(child)


def house(
    style: Style,
    words: Words,
    panel_mm: float,
    legends: Sequence[Legend] = (),
    x: Axis | str = "",
    y: str = "",
    below_axis: int | None = None,
    columns: int = 1,
) -> list[Any]:
    """Theme, size and words of a chart.

    The label of the vertical axis stands level above the panel, as its subtitle. The height of the
    figure is that of the panel and of all lines around it.

    Parameters
    ----------
    style
        Sizes and colours.
    words
        Title, notes and small print; those two are left out where the style has no small print.
    panel_mm
        Height of the panel, or of all of them with what stands between them.
    legends
        The legends under the panel.
    x
        Label of the horizontal axis, or an axis whose sides favour something; see `favours`.
    y
        Label of the vertical axis.
    below_axis
        Lines that other layers write between the tick labels and the label of the horizontal axis;
        by default what its sides favour.
    columns
        Panels side by side.

    Returns
    -------
    list
        To be added to a ggplot.
    """
    room = style.width_mm - 2 * style.margin_mm
    title = wrap(words.title, room, style.title_pt, True)
    above = wrap(y, room, style.text_pt)
    under = wrap(x.label if isinstance(x, Axis) else x, room, style.text_pt)
    sides = favours_lines(x, style, columns) if isinstance(x, Axis) else ("", "")
    if below_axis is None:
        below_axis = max(side.count("\n") + 1 for side in sides) if any(sides) else 0
    if below_axis and not under:
        # plotnine leaves no room under an axis without a label
        under, below_axis = (" ",), below_axis - 1
    notes, footnotes = (
        [line for text in said for line in wrap(text, room, style.footnote_pt)]
        for said in (words.notes, words.footnotes)
    )
    caption = [*notes, *[""] * bool(notes and footnotes), *footnotes]
    caption = caption if style.small_print else []
    text_mm, small_mm = (leading_mm(size, style) for size in (style.text_pt, style.footnote_pt))
    gap = style.block_gap_mm
    rows = _rows(legends, style)
    keys = sum(max(one.rows for one in row) for row in rows)
    blocks = [
        2 * style.margin_mm,
        len(title) * leading_mm(style.title_pt, style) + gap if title else 0.0,
        len(above) * text_mm + gap if above else 0.0,
        panel_mm,
        (1 + below_axis + len(under)) * text_mm + 1.6 * style.tick_mm,
        keys * text_mm + gap if legends else 0.0,
        len(caption) * small_mm + gap if caption else 0.0,
    ]
    height = sum(blocks)
    return [
        house_theme(style, style.width_mm / height),
        p9.labs(
            title="\n".join(title),
            subtitle="\n".join(above),
            x="\n".join(under),
            y="",
            caption="\n".join(caption),
        ),
        p9.theme(
            legend_box="vertical",
            legend_spacing=0.25 * style.text_pt,
            figure_size=(style.width_mm / MM_PER_INCH, height / MM_PER_INCH),
            axis_title_x=p9.element_text(
                margin={
                    "t": (0.1 * style.text_pt + below_axis * text_mm / MM_PER_POINT)
                    * height
                    / style.width_mm
                }
            ),
        ),
        _Rows([len(row) for row in rows], style.column_gap_mm / MM_PER_POINT),
    ]


def with_footnotes(plot: p9.ggplot, footnotes: Sequence[str], style: Style) -> p9.ggplot:
    """The plot with more small print at its foot, and as much higher as that needs."""
    room = style.width_mm - 2 * style.margin_mm
    lines = [line for text in footnotes for line in wrap(text, room, style.footnote_pt)]
    if not lines:
        return plot
    there = plot.labels.caption or ""
    width, height = plot.theme.getp("figure_size")
    more = len(lines) * leading_mm(style.footnote_pt, style)
    more += 0.0 if there else style.block_gap_mm
    return (
        plot
        + p9.labs(caption="\n".join([*filter(None, [there]), *lines]))
        + p9.theme(figure_size=(width, height + more / MM_PER_INCH))
    )
