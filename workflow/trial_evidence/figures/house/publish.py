"""Charts saved as files: same formats, font and reproducible bytes as pages."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import plotnine as p9
from matplotlib.figure import Figure
from matplotlib.text import Text

from trial_evidence.figures.canvas.page import (
    DPI,
    LEAST_POINTS,
    Format,
    as_paragraph,
    font,
    save_page,
)
from trial_evidence.figures.canvas.style import Style, magnified
from trial_evidence.figures.canvas.text import MM_PER_INCH, clean
from trial_evidence.figures.house.labels import geom_names, label_footnotes, unplaced
from trial_evidence.figures.house.theme import Words, with_footnotes


@dataclass(frozen=True)
class Chart:
    """A chart to be published: its ggplot, title, description and style.

    `make` is called with the `style` where the chart is drawn, possibly in another process, because
    a ggplot itself cannot be sent there. Given a height, as for a screen, the panel takes the space
    that the text leaves; a chart that needs more is set in smaller type, at least 6 points.
    """

    make: Callable[..., p9.ggplot]
    title: str
    description: str
    style: Style
    height_mm: float | None = None
    small_print: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", clean(self.title))
        object.__setattr__(self, "description", clean(self.description))

    def figure(self) -> Figure:
        """The chart laid out; names that were cut or found no room are listed at the foot."""
        style = self.style
        if self.height_mm is not None:
            _, height_in = self.make(style=style).theme.getp("figure_size")
            share = self.height_mm / float(height_in * MM_PER_INCH)
            least = LEAST_POINTS / min(style.text_pt, style.footnote_pt)
            style = magnified(style, min(1.0, max(share, least)))
        at_foot: list[str] = []
        absent: list[str] = []
        while True:
            figure = _settled(self._plot(style, at_foot, absent))
            shortened, absent = unplaced(figure)
            now = label_footnotes(shortened, absent)
            if now == at_foot or not style.small_print:
                return figure
            at_foot = now

    def fitted(self, height_mm: float) -> "Chart":
        """The chart fitted to a height."""
        return replace(self, height_mm=height_mm)

    def _plot(self, style: Style, footnotes: Sequence[str], absent: Sequence[str]) -> p9.ggplot:
        # plotnine draws into the plot object: a second drawing would go on top of the first
        plot = with_footnotes(deepcopy(self.make(style=style)), footnotes, style)
        for layer in plot.layers:
            if isinstance(layer.geom, geom_names):
                layer.geom.params["absent"] = absent
        if self.height_mm is not None:
            size = (style.width_mm / MM_PER_INCH, self.height_mm / MM_PER_INCH)
            plot += p9.theme(figure_size=size)
        return plot


def _settled(plot: p9.ggplot) -> Figure:
    """A plot drawn with the bundled font, with everything in its final position."""
    figure = plot.draw()
    for text in figure.findobj(Text):
        text.set_fontproperties(font(text.get_fontweight() == "bold", float(text.get_fontsize())))
    # lay out the panel once: a layout engine would draw every file twice
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine(None)
    for text in figure.findobj(Text):
        if not text.get_text().strip():
            # a blank that reserved room for other text is not text
            text.set_visible(False)
    return figure


def charted(
    draw: Callable[..., p9.ggplot],
    *data: Any,
    words: Words,
    description: str,
    style: Style,
    **more: Any,
) -> Chart:
    """A chart of some data; `draw` is a function of figures/charts."""
    small_print = as_paragraph([*words.notes, *words.footnotes])
    make = partial(draw, *data, words=words, **more)
    return Chart(make, words.title, description, style, small_print=small_print)


def save(
    plot: p9.ggplot,
    stem: Path,
    style: Style,
    description: str,
    formats: Sequence[Format] = ("svg", "pdf", "png"),
    dpi: int = DPI,
) -> None:
    """Save a ggplot in the same way as the figures of the pipeline; see `canvas.page.save_page`.

    Parameters
    ----------
    plot
        A chart of this package, or any other ggplot in the house theme.
    stem
        Path without suffix.
    style
        The style it was made in.
    description
        What it shows, for readers who cannot see it.
    formats, dpi
        Suffixes, and dots per inch of PNG and TIFF.
    """
    title = plot.labels.title or ""
    save_page(Chart(lambda style: plot, title, description, style), stem, formats, dpi)
