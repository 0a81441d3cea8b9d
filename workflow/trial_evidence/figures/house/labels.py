"""Text placed when a chart is drawn: names of marks, what a side favours.

These are layers of a ggplot. Their positions depend on the size of the panel in millimetres,
known only once everything around it has been laid out.
"""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
import plotnine as p9
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import Collection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.text import Text

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import font
from trial_evidence.figures.canvas.style import Style
from trial_evidence.figures.canvas.text import (
    ELLIPSIS,
    MM_PER_INCH,
    MM_PER_POINT,
    capital_mm,
    clean,
    shorten,
    text_width_mm,
    wrap,
)
from trial_evidence.figures.house.room import GAP_MM, Boxes, Taken, free_place, leader, pieces
from trial_evidence.figures.house.scales import natural, widest_mm
from trial_evidence.files import records

_IN_FULL, _NOT_LABELLED = "In full: ", "Not labelled for lack of space: "
_ASCENT_EM, _DESCENT_EM = 0.75, 0.23

_ACROSS, _UP = {"x"}, {"y", "label"}
_PARAMS = {
    **p9.geom_text.DEFAULT_PARAMS,
    "style": Style(),
    "absent": (),
    "sides": (),
    "under": (),
    "at_mm": None,
}


class _Words(Artist):
    """Texts and lines that are positioned just before they are drawn."""

    def __init__(self, ax: Axes, data: pd.DataFrame, params: dict[str, Any]) -> None:
        super().__init__()
        self.panel, self.style = ax, params["style"]
        self.data, self.params = data, params
        self._drawn: list[Artist] = []
        self._placed_for: tuple[float, ...] = ()
        self.set_zorder(10)
        self.set_in_layout(False)

    def draw(self, renderer: RendererBase) -> None:
        self.place()
        for artist in self._drawn:
            artist.draw(renderer)

    def place(self) -> None:
        figure = self.panel.figure
        # positions in mm from the bottom left of the page, whatever the resolution
        self.per_mm = figure.dpi / MM_PER_INCH
        box = self.panel.get_position().bounds
        if box != self._placed_for:
            self._placed_for, self._drawn = box, []
            self._place()
        for artist in self._drawn:
            artist.set_transform(mpl.transforms.Affine2D().scale(self.per_mm))

    def _place(self) -> None:
        raise NotImplementedError

    def millimetres(self, points: npt.ArrayLike) -> Boxes:
        return np.asarray(self.panel.transData.transform(points) / self.per_mm)

    @property
    def edges(self) -> Boxes:
        return np.asarray(self.panel.get_window_extent().extents) / self.per_mm

    def write(
        self, text: str, x: float, y: float, size_pt: float, align: str = "left", bold: bool = False
    ) -> None:
        look = {"color": self.style.ink, "fontproperties": font(bold, size_pt)}
        self._add(Text(x, y, text, ha=align, va="baseline", **look))

    def _add(self, artist: Artist) -> None:
        artist.set_figure(self.panel.figure)
        artist.axes = self.panel
        self._drawn.append(artist)


class _Favours(_Words):
    def _place(self) -> None:
        style, size = self.style, self.style.text_pt
        sides, under = self.params["sides"], self.params["under"]
        left, bottom, right, _ = self.edges
        gap = style.panel_gap_mm / 2
        leading = style.leading_mm(size)
        need = [widest_mm(side, size) + gap for side in sides]
        split = float(self.millimetres([(self.data["x"].iloc[0], 0.0)])[0, 0])
        if not left <= split <= right:
            split = (left + right) / 2
        outer = style.margin_mm, style.width_mm - style.margin_mm
        if right - left < style.width_mm / 2:
            outer = max(outer[0], left - 2 * gap), min(outer[1], right + 2 * gap)
        # a reference near the edge of the page would leave no room for the text on that side
        split = min(max(split, outer[0] + need[0]), outer[1] - need[1])
        top = bottom - 1.6 * style.tick_mm - 2 * leading + _DESCENT_EM * size * MM_PER_POINT
        for words, at, align in zip(
            sides, (split - gap, split + gap), ("right", "left"), strict=True
        ):
            for number, line in enumerate(words):
                self.write(line, at, top - number * leading, size, align)
        for number, line in enumerate(under, max(map(len, sides))):
            half = text_width_mm(line, size) / 2
            middle = min(max((left + right) / 2, outer[0] + half), outer[1] - half)
            self.write(line, middle, top - number * leading, size, "center")


class _Beside(_Words):
    def _place(self) -> None:
        style, right = self.style, self.edges[2]
        for word in records(self.data[["y", "label", "fontweight", "size"]]):
            y = float(self.millimetres([(0.0, word["y"])])[0, 1])
            x = self.params["at_mm"]
            if x is None:
                x = right + 1.7 * style.tick_mm
                ends = np.array([right, y]), np.array([right + style.tick_mm, y])
                self._add(_line(ends, style.ink, style.rule_pt))
            size, bold = word["size"], word["fontweight"] == "bold"
            self.write(str(word["label"]), x, y - capital_mm(size) / 2, size, bold=bold)


class _Names(_Words):
    shortened: list[str]
    left_out: list[str]

    def _place(self) -> None:
        style, size = self.style, self.style.footnote_pt
        self.shortened, self.left_out = [], []
        absent = set(self.params["absent"])
        left, bottom, _, top = self.edges
        low, high = left + GAP_MM, bottom + GAP_MM
        page = np.array([low, high, style.width_mm - style.margin_mm, top + style.row_mm / 4])
        centres, radii = np.split(self._discs(), [2], axis=1)
        lines = Taken(page, self._lines())
        marks = Taken(page, np.hstack([centres - radii, centres + radii]))
        high = (_ASCENT_EM + _DESCENT_EM) * size * MM_PER_POINT
        places = self.millimetres(self.data[["x", "y"]].to_numpy(dtype=float))
        for centre, name in zip(places, map(clean, map(str, self.data["label"])), strict=True):
            text = shorten(name, style.width_mm / 3, size)
            if not text:
                continue
            if name in absent:
                self.left_out.append(name)
                continue
            own_discs = radii[np.abs(centres - centre).sum(axis=1) < 0.01]
            reach = float(own_discs.max(initial=0.0))
            extent = np.array([text_width_mm(text, size), high])
            found = free_place(centre, reach, extent, lines, marks)
            if found is None:
                self.left_out.append(name)
                continue
            if text != name and text.endswith(ELLIPSIS):
                self.shortened.append(name)
            box, way = found
            marks.add(box[None] + np.array([-GAP_MM, 0.0, GAP_MM, 0.0]))
            if len(way):
                lines.add(way)
                self._add(_line(leader(centre, reach, box), style.muted, style.hair_pt))
            self.write(text, box[0], box[1] + _DESCENT_EM * size * MM_PER_POINT, size)

    def _discs(self) -> Boxes:
        """Centre and radius of every point in the panel."""
        found = [np.empty((0, 3))]
        for artist in self.panel.collections:
            if isinstance(artist, PathCollection):
                centres = self.millimetres(artist.get_offsets())
                points = np.sqrt(np.resize(artist.get_sizes(), len(centres)))
                found.append(np.column_stack([centres, points * MM_PER_POINT / 2]))
        return np.concatenate(found)

    def _lines(self) -> Boxes:
        """Boxes along the lines in the panel, piece by piece; areas without an edge are ignored."""
        artist: Any
        found = [np.empty((0, 4))]
        for artist in self.panel.get_children():
            paths: Sequence[Path] = ()
            if isinstance(artist, Line2D):
                paths = [artist.get_path()]
            elif isinstance(artist, Collection) and not isinstance(artist, PathCollection):
                paths = artist.get_paths()
            for path in paths if paths and np.any(artist.get_linewidth()) else ():
                for corners in path.to_polygons(artist.get_transform(), closed_only=False):
                    places = np.asarray(corners, dtype=float) / self.per_mm
                    found.append(pieces(places[:-1], places[1:]))
        return np.concatenate(found)


class _geom_words(p9.geom_text):
    """Text that is positioned when the figure has its final size."""

    DEFAULT_PARAMS = _PARAMS
    artist: type[_Words]

    def draw_panel(self, data: pd.DataFrame, panel_params: Any, coord: Any, ax: Axes) -> None:
        """Add an artist that places the text when drawn."""
        ax.add_artist(self.artist(ax, coord.transform(data, panel_params), self.params))


class geom_names(_geom_words):
    """Names next to their marks; earlier rows get the better positions.

    A name is placed where it hides nothing in the panel: next to its mark, or a little farther away
    with a leader line. Names longer than a third of the page are cut. Names in `absent` are not
    drawn, because the small print lists them as left out.
    """

    artist = _Names


class geom_favours(_geom_words):
    """What the two `sides` of no effect favour, and the lines `under` that, below the axis."""

    REQUIRED_AES = _ACROSS
    artist = _Favours


class geom_beside(_geom_words):
    """Text left or right of the panel, level with positions on the vertical axis.

    `at_mm` is the distance of the text from the left edge of the page; by default the text is to
    the right of the panel, each line with a tick.
    """

    REQUIRED_AES = _UP
    artist = _Beside


def favours(
    axis: Axis, style: Style, under: Sequence[str] = (), columns: int = 1, **panel: Any
) -> list[Any]:
    """A layer that states under the axis what each side of no effect favours.

    Parameters
    ----------
    axis
        Supplies the text and the reference.
    style
        Sizes and colours.
    under
        Lines of the axis label, if every panel has its own axis (its data are then on the analysis
        scale, see `per_panel`).
    columns
        Number of panels side by side.
    panel
        Values of the facet columns, if the text belongs to one panel only.

    Returns
    -------
    list
        Empty if the axis has no text.
    """
    sides = favours_lines(axis, style, columns)
    if not any(sides) and not under:
        return []
    at = math.inf
    if axis.reference is not None:
        at = axis.reference if under else float(natural(axis.reference, axis.scale))
    frame = pd.DataFrame([{"reference": at, **panel}])
    looks = {"sides": sides, "under": under, "style": style}
    return [geom_favours(p9.aes("reference"), frame, inherit_aes=False, **looks)]


def vertical_label(axis: Axis) -> str:
    """Label above a vertical axis: the axis label, and what up and down favour."""
    up, down = clean(axis.favours_high), clean(axis.favours_low)
    ways = [f"\N{UPWARDS ARROW} {up}" if up else "", f"\N{DOWNWARDS ARROW} {down}" if down else ""]
    favours = "; ".join(way for way in ways if way)
    return f"{clean(axis.label)} ({favours})" if favours else clean(axis.label)


def favours_lines(axis: Axis, style: Style, columns: int = 1) -> list[tuple[str, ...]]:
    """What either side of no effect favours, each wrapped to at most half the panel's width."""
    half = (style.width_mm / 2 - style.margin_mm) / columns - style.panel_gap_mm
    return [wrap(side, half, style.text_pt) for side in axis.sides]


def label_footnotes(shortened: Sequence[str], left_out: Sequence[str]) -> list[str]:
    """Footnotes on names that were cut and names that found no room."""
    names = {_IN_FULL: shortened, _NOT_LABELLED: left_out}
    return [phrase + "; ".join(dict.fromkeys(n)) + "." for phrase, n in names.items() if n]


def unplaced(figure: Figure) -> tuple[list[str], list[str]]:
    """Names in a laid-out figure that were cut, and names that found no room."""
    placed = [artist for artist in figure.findobj(_Names) if isinstance(artist, _Names)]
    for artist in placed:
        artist.place()
    return (
        [name for artist in placed for name in artist.shortened],
        [name for artist in placed for name in artist.left_out],
    )


def _line(ends: tuple[Boxes, Boxes], colour: str, width_pt: float) -> Line2D:
    (x1, y1), (x2, y2) = ends
    return Line2D([x1, x2], [y1, y2], color=colour, linewidth=width_pt)
