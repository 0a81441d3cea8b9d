"""The house look of charts: theme, widths and sizes, text around the panel.

A chart is a `plotnine.ggplot` as wide as the page: add layers, scales or a theme to it as to any
other, and save it with `save` (see figures/house/publish.py). Charts here are extended by `+=`:
for a `+`, plotnine copies the whole plot, theme and all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotnine as p9

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    CAP_HEIGHT_EM,
    FONT_FAMILY,
    MM_PER_INCH,
    MM_PER_POINT,
    wrap,
)
from trial_evidence.figures.house.labels import favours_lines
from trial_evidence.figures.house.legends import KEY_MM, Legend, LegendRows, side_by_side

# up to this width, panels are stacked instead of side by side
NARROW_MM = 100.0
# Line height of the font; line spacing is a multiple of it
_LINE_EM = 0.94


@dataclass(frozen=True)
class Words:
    """The text around the panel of a chart.

    `notes` are sentences under the legend, `footnotes` the small print below them.
    """

    title: str = ""
    notes: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()

    def with_footnotes(self, *more: str) -> "Words":
        """The same text with more footnotes; empty strings add nothing."""
        return replace(self, footnotes=(*self.footnotes, *filter(None, more)))


def panel_height_mm(style: Style) -> float:
    """Height of a panel that fills the width of the page."""
    return min(88.0, 26.0 + 0.36 * style.width_mm)


def house_theme(style: Style, aspect: float = 1.3) -> p9.theme:
    """The theme of all charts: white background, thin axes, legend under the panel, measured text.

    Parameters
    ----------
    style
        Sizes and colours; the fonts are those that `save` embeds.
    aspect
        Width of the figure divided by its height.

    Returns
    -------
    plotnine.theme
    """
    # plotnine takes margins above and below text as shares of the width
    upright = 1 / aspect
    mm = 1 / MM_PER_POINT
    gap = style.block_gap_mm * mm
    spread = style.leading / _LINE_EM
    tick = style.tick_mm * mm
    line = p9.element_line(color=style.ink, size=style.rule_pt)

    def text(points: float, **more: Any) -> p9.element_text:
        return p9.element_text(size=points, color=style.ink, linespacing=spread, **more)

    theme = p9.theme_void(base_size=style.text_pt, base_family=FONT_FAMILY)
    theme += p9.theme(
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
        legend_key_width=KEY_MM * mm,
        legend_key_height=CAP_HEIGHT_EM * style.text_pt,
        legend_key_spacing_x=style.column_gap_mm * mm,
        legend_key_spacing_y=0.25 * style.text_pt,
        legend_box_spacing=style.block_gap_mm / style.width_mm,
        legend_margin=0,
    )
    return theme


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
    """Theme, size and text of a chart.

    The label of the vertical axis is set horizontally above the panel, as its subtitle. The height
    of the figure is that of the panel and of all lines around it.

    Parameters
    ----------
    style
        Sizes and colours.
    words
        Title, notes and footnotes; the last two are left out if the style has no small print.
    panel_mm
        Height of the panel, or of all panels and the gaps between them.
    legends
        The legends under the panel; their scales are included.
    x
        Label of the horizontal axis, or an axis whose sides favour something; see `favours`.
    y
        Label of the vertical axis.
    below_axis
        Lines that other layers write between the tick labels and the label of the horizontal axis;
        by default those stating what its sides favour.
    columns
        Number of panels side by side.

    Returns
    -------
    list
        To be added to a ggplot.
    """
    room = style.width_mm - 2 * style.margin_mm
    title = wrap(words.title, room, style.title_pt, True) if style.title else ()
    above = wrap(y, room, style.text_pt)
    under = wrap(x.label if isinstance(x, Axis) else x, room, style.text_pt)
    if below_axis is None:
        sides = favours_lines(x, style, columns) if isinstance(x, Axis) else ()
        below_axis = max(map(len, sides), default=0)
    if below_axis and not under:
        # plotnine leaves no space under an axis without a label
        under, below_axis = (" ",), below_axis - 1
    notes, footnotes = (_small_print(said, style) for said in (words.notes, words.footnotes))
    caption = [*notes, *[""] * bool(notes and footnotes), *footnotes]
    caption = caption if style.small_print else []
    text_mm, small_mm = (style.leading_mm(size) for size in (style.text_pt, style.footnote_pt))
    gap = style.block_gap_mm
    rows = side_by_side(legends, style)
    keys = sum(max(one.rows for one in row) for row in rows)
    blocks = [
        2 * style.margin_mm,
        len(title) * style.leading_mm(style.title_pt) + gap if title else 0.0,
        len(above) * text_mm + gap if above else 0.0,
        panel_mm,
        (1 + below_axis + len(under)) * text_mm + 1.6 * style.tick_mm,
        keys * text_mm + gap if legends else 0.0,
        len(caption) * small_mm + gap if caption else 0.0,
    ]
    height = sum(blocks)
    label_gap = 0.1 * style.text_pt + below_axis * text_mm / MM_PER_POINT
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
            axis_title_x=p9.element_text(margin={"t": label_gap * height / style.width_mm}),
        ),
        LegendRows([len(row) for row in rows], style.column_gap_mm / MM_PER_POINT),
        *(scale for order, one in enumerate(legends, 1) for scale in one.scales(order)),
    ]


def with_footnotes(plot: p9.ggplot, footnotes: Sequence[str], style: Style) -> p9.ggplot:
    """Add footnotes to a plot, which grows by as much as they need."""
    lines = _small_print(footnotes, style)
    if not lines:
        return plot
    there = plot.labels.caption or ""
    width, height = plot.theme.getp("figure_size")
    more = len(lines) * style.leading_mm(style.footnote_pt)
    more += 0.0 if there else style.block_gap_mm
    plot += [
        p9.labs(caption="\n".join([*filter(None, [there]), *lines])),
        p9.theme(figure_size=(width, height + more / MM_PER_INCH)),
    ]
    return plot


def _small_print(texts: Iterable[str], style: Style) -> list[str]:
    room = style.width_mm - 2 * style.margin_mm
    return [line for text in texts for line in wrap(text, room, style.footnote_pt)]
