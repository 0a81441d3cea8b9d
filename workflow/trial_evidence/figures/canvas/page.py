"""A page of shapes and texts positioned in millimetres, and how it is drawn and saved."""

import gc
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import accumulate, groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, Protocol
from xml.sax.saxutils import escape

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text as FigureText
from matplotlib.ticker import FixedFormatter
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from trial_evidence.figures.canvas.text import (
    FALLBACK_FAMILIES,
    FONT_FAMILY,
    MM_PER_INCH,
    clean,
    font_path,
)
from trial_evidence.files import whole

Align = Literal["left", "center", "right"]
Format = Literal["svg", "pdf", "png", "eps", "tiff"]
Point = tuple[float, float]

DPI = 300
# Per side: few programs open larger images, and a thousand rows would take gigabytes to draw.
MOST_DOTS = 20_000
LEAST_POINTS = 6.0
# A figure longer than this (longer than paper) has tens of thousands of parts.
_LONG_INCHES = 12
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "page",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "text.parse_math": False,
    # hinted letters are rounded to whole pixels; lines would grow beyond their measured width
    "text.hinting": "none",
}
# pages are mostly white, so the fastest compression is also the smallest
_PNG_LEVEL = 1
_DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_look = attrgetter("dashed", "colour")
ANCHORS: Mapping[Align, float] = {"left": 0.0, "center": 0.5, "right": 1.0}
"""Share of a text that lies to the left of its anchor."""
_LAYERS = ("bands", "segments", "polygons", "texts")


@dataclass(frozen=True)
class Polygon:
    """A filled shape: corner points (x, y) in mm from the top left of the page; colours as hex.

    `role` names its meaning (band, square, diamond, arrow, bar); it is not drawn.
    """

    role: str
    points: tuple[Point, ...]
    fill: str
    outline: str
    outline_pt: float


@dataclass(frozen=True)
class Segment:
    """A straight line between two points (x, y) in mm from the top left of the page."""

    role: str
    start: Point
    end: Point
    colour: str
    width_pt: float
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """One line of text; y is its baseline, x the edge or centre that `align` names, in mm."""

    role: str
    text: str
    x: float
    y: float
    size_pt: float
    colour: str
    align: Align = "left"
    bold: bool = False


class Line(FigureText):
    """One line of upright text on its baseline.

    matplotlib lays out a box around every text, again for each format, to find where it begins. A
    page knows the position: only the width is measured, and only for text that is not left-aligned.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draw it, as `matplotlib.text.Text` would."""
        words, font = self.get_text(), self.get_fontproperties()
        x, y = self.get_transform().transform(self.get_unitless_position())
        share = ANCHORS[self.get_horizontalalignment()]
        if share:
            x -= share * renderer.get_text_width_height_descent(words, font, False)[0]
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        renderer.open_group("text")
        pen = renderer.new_gc()
        pen.set_foreground(self.get_color())
        pen.set_clip_rectangle(self.get_clip_box())
        renderer.draw_text(pen, x, y, words, font, 0.0, mtext=self)
        pen.restore()
        renderer.close_group("text")


class Picture(Protocol):
    """Anything that can be saved: a laid-out figure with its title, description and small print."""

    @property
    def title(self) -> str:
        """Heading, stored as the title of the file."""

    @property
    def description(self) -> str:
        """What it shows, for readers who cannot see it."""

    @property
    def small_print(self) -> str:
        """Its notes and footnotes, whether drawn or left to a caption."""

    def figure(self) -> Figure:
        """Everything in its final position; called within `save_page`'s settings."""

    def fitted(self, height_mm: float) -> "Picture":
        """The same picture fitted to a height, as for a screen."""


@dataclass(frozen=True)
class Page:
    """Everything on a page, in mm from the top left; drawn in the order of the fields."""

    width_mm: float
    height_mm: float
    title: str
    description: str
    bands: tuple[Polygon, ...]
    segments: tuple[Segment, ...]
    polygons: tuple[Polygon, ...]
    texts: tuple[Text, ...]
    small_print: str = ""

    def figure(self) -> Figure:
        """See `Picture`."""
        return draw(self)

    def fitted(self, height_mm: float) -> "Page":
        """The page fitted to a height, as for a screen.

        A shorter page gets white space at its foot. A taller one is scaled down, with white on both
        sides, but type never goes below 6 points: the page then stays taller than requested.
        """
        if self.height_mm <= height_mm:
            return replace(self, height_mm=height_mm)
        smallest = min((text.size_pt for text in self.texts), default=LEAST_POINTS)
        share = max(height_mm / self.height_mm, min(1.0, LEAST_POINTS / smallest))
        smaller = _moved(self, (1 - share) * self.width_mm / 2, share=share)
        return replace(smaller, height_mm=share * self.height_mm)


@dataclass(frozen=True)
class Pointed:
    """A picture whose numbers have another decimal point, such as a raised one."""

    picture: Picture
    mark: str

    title = property(attrgetter("picture.title"))
    description = property(attrgetter("picture.description"))

    @property
    def small_print(self) -> str:
        """See `Picture`."""
        return self._pointed(self.picture.small_print)

    def figure(self) -> Figure:
        """See `Picture`."""
        figure = self.picture.figure()
        for axis in (axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)):
            # tick labels are regenerated whenever the figure is drawn
            if isinstance(written := axis.get_major_formatter(), FixedFormatter):
                axis.set_major_formatter(FixedFormatter(list(map(self._pointed, written.seq))))
        for text in figure.findobj(FigureText):
            text.set_text(self._pointed(text.get_text()))
        return figure

    def _pointed(self, text: str) -> str:
        return _DECIMAL_POINT.sub(self.mark, text)

    def fitted(self, height_mm: float) -> "Pointed":
        """See `Picture`."""
        return replace(self, picture=self.picture.fitted(height_mm))


def draw(page: Page) -> Figure:
    """The page as a figure of its size, with millimetres as coordinates.

    Shapes go straight to matplotlib: a page already knows every position, so working out the
    scales, facets and layout of a plot would be wasted.

    Returns
    -------
    matplotlib.figure.Figure
        One panel over all of it, x from 0 to its width and y from 0 (bottom) to its height.
    """
    size = (page.width_mm / MM_PER_INCH, page.height_mm / MM_PER_INCH)
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_axis_off()
    panel.set(xlim=(0, page.width_mm), ylim=(0, page.height_mm))
    layers: list[Artist] = [
        *_polygon_layer(page, page.bands),
        *_segment_layers(page),
        *_polygon_layer(page, page.polygons),
        *(_text(page, text) for text in page.texts if text.text),
    ]
    for layer in layers:
        layer.set_zorder(1)
        panel.add_artist(layer)
    return figure


def _moved(page: Page, right: float, down: float = 0.0, share: float = 1.0) -> Page:
    """Scale the content of a page, then move it; the size of the page is unchanged."""

    def at(point: Point) -> Point:
        return right + share * point[0], down + share * point[1]

    def moved(mark: Polygon | Segment | Text) -> Polygon | Segment | Text:
        if isinstance(mark, Polygon):
            points = tuple(map(at, mark.points))
            return replace(mark, points=points, outline_pt=share * mark.outline_pt)
        if isinstance(mark, Segment):
            start, end = at(mark.start), at(mark.end)
            return replace(mark, start=start, end=end, width_pt=share * mark.width_pt)
        x, y = at((mark.x, mark.y))
        return replace(mark, x=x, y=y, size_pt=share * mark.size_pt)

    layers: dict[str, Any] = {name: tuple(map(moved, getattr(page, name))) for name in _LAYERS}
    return replace(page, **layers)


def _together(pages: Sequence[Page], width_mm: float, height_mm: float) -> Page:
    """The content of all pages on one, with the title, description and small print of the first."""
    layers: dict[str, Any] = {
        name: tuple(mark for page in pages for mark in getattr(page, name)) for name in _LAYERS
    }
    return replace(pages[0], width_mm=width_mm, height_mm=height_mm, **layers)


def as_paragraph(sentences: Iterable[str]) -> str:
    """Join notes and footnotes, without duplicates, each ending with a full stop."""
    distinct = dict.fromkeys(filter(None, map(clean, sentences)))
    return " ".join(text if text.endswith((".", "?", "!")) else f"{text}." for text in distinct)


def stacked(pages: Sequence[Page], title: str, description: str) -> Page:
    """Stack one or more pages of the same width, with a title and description for the whole."""
    tops = [0.0, *accumulate(page.height_mm for page in pages)]
    moved = [_moved(page, 0.0, top) for page, top in zip(pages, tops, strict=False)]
    whole = _together(moved, pages[0].width_mm, tops[-1])
    small_print = as_paragraph(page.small_print for page in pages)
    return replace(whole, title=title, description=description, small_print=small_print)


def side_by_side(pages: Sequence[Page]) -> Page:
    """Place one or more pages side by side, aligned at the top.

    The result is as high as the tallest and has the title and description of the first.
    """
    lefts = [0.0, *accumulate(page.width_mm for page in pages)]
    moved = [_moved(page, left) for page, left in zip(pages, lefts, strict=False)]
    return _together(moved, lefts[-1], max(page.height_mm for page in pages))


def save_page(
    page: Picture, stem: Path, formats: Sequence[Format] = ("svg", "pdf", "png"), dpi: int = DPI
) -> None:
    """Save a page or a chart in several formats: all of them, or none.

    The bytes depend on the page alone: no date, no random identifiers, the bundled font.
    SVG keeps text as text, PDF and EPS embed TrueType fonts, TIFF is RGB with LZW compression.
    Nothing on a page is transparent, since EPS has no transparency.

    Parameters
    ----------
    page
        The page or chart.
    stem
        Path without suffix; missing folders are created.
    formats
        Suffixes of the files to write.
    dpi
        Dots per inch of PNG and TIFF; lowered if a side would exceed `MOST_DOTS`.
    """
    contents = {stem.with_name(f"{stem.name}.{kind}"): b"" for kind in formats}
    # settings of the caller or of a matplotlibrc must not change the page
    with matplotlib.style.context(["default", _SETTINGS]), warnings.catch_warnings():
        # a character missing from the font is drawn as a box; the SVG keeps the character itself
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font", category=UserWarning
        )
        figure = page.figure()
        for target, kind in zip(contents, formats, strict=True):
            contents[target] = _render(figure, page, kind, dpi)
    # Nobody ever reads half a file or half a set.
    with ExitStack() as unfinished:
        for target, content in contents.items():
            unfinished.enter_context(whole(target)).write_bytes(content)
    if max(figure.get_size_inches()) > _LONG_INCHES:
        # its parts form reference cycles and would stay in memory until the next garbage collection
        del figure
        gc.collect()


def _flip(page: Page, point: Point) -> Point:
    return point[0], page.height_mm - point[1]


def _polygon_layer(page: Page, polygons: Sequence[Polygon]) -> list[Artist]:
    if not polygons:
        return []
    shapes = PolyCollection(
        [[_flip(page, point) for point in shape.points] for shape in polygons],
        facecolors=[shape.fill for shape in polygons],
        edgecolors=[shape.outline for shape in polygons],
        linewidths=[shape.outline_pt for shape in polygons],
    )
    return [shapes]


def _segment_layers(page: Page) -> Iterator[Artist]:
    """Lines colour by colour, dashed ones last: the same one is always on top where two cross."""
    for (dashed, colour), alike in groupby(sorted(page.segments, key=_look), _look):
        lines = list(alike)
        yield LineCollection(
            [[_flip(page, line.start), _flip(page, line.end)] for line in lines],
            colors=colour,
            linewidths=[line.width_pt for line in lines],
            linestyles="dashed" if dashed else "solid",
            capstyle="butt",
        )


def _text(page: Page, text: Text) -> Artist:
    x, y = _flip(page, (text.x, text.y))
    return Line(
        x, y, text.text, color=text.colour, horizontalalignment=text.align,
        verticalalignment="baseline", fontproperties=font(text.bold, text.size_pt), clip_on=True,
    )  # fmt: skip


def font(bold: bool, size_pt: float) -> FontProperties:
    """The bundled typeface."""
    # Naming the file leaves the font manager of the process unchanged, and no other installed
    # version of the same family can take its place.
    weight = "bold" if bold else "normal"
    return FontProperties(
        family=[FONT_FAMILY], weight=weight, size=size_pt, fname=str(font_path(bold))
    )


def _render(figure: Figure, page: Picture, kind: Format, dpi: int) -> bytes:
    if kind in ("png", "tiff"):
        return _dots(figure, page, kind, dpi)
    metadata: dict[str, dict[str, str | None]] = {
        "svg": {"Title": page.title, "Date": None, "Creator": None},
        "pdf": {"Title": page.title, "Subject": page.description, "CreationDate": None},
        "eps": {},
    }
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata[kind])
    if kind == "svg":
        return _described(buffer.getvalue(), page)
    if kind == "eps":
        return re.sub(rb"%%CreationDate: .*\n", b"", buffer.getvalue(), count=1)
    return buffer.getvalue()


def _dots(figure: Figure, page: Picture, kind: Literal["png", "tiff"], dpi: int) -> bytes:
    """The figure as an image without transparency: journals refuse an alpha channel."""
    figure.set_dpi(min(dpi, MOST_DOTS / max(figure.get_size_inches())))
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    size = canvas.get_width_height()
    image = Image.frombuffer("RGBA", size, canvas.buffer_rgba()).convert("RGB")
    # matplotlib's own copy of the pixels, no longer needed
    del canvas.renderer
    buffer = BytesIO()
    options: dict[str, Any] = {"compression": "tiff_lzw"}
    if kind == "png":
        words = PngInfo()
        words.add_text("Title", page.title)
        words.add_text("Description", page.description)
        options = {"pnginfo": words, "compress_level": _PNG_LEVEL}
    fine = (figure.dpi, figure.dpi)
    image.save(buffer, kind.upper(), dpi=fine, **options)
    return buffer.getvalue()


def _described(svg: bytes, page: Picture) -> bytes:
    """Add the description that screen readers read out, and fallback fonts."""
    text = svg.decode("utf-8")
    families = ", ".join([f"'{FONT_FAMILY}'", *FALLBACK_FAMILIES])
    text = text.replace(f"font-family: '{FONT_FAMILY}'", f"font-family: {families}")
    named = f"<title>{escape(page.title)}</title>\n <desc>{escape(page.description)}</desc>"
    text = re.sub(r"<title>.*?</title>", lambda _: named, text, count=1, flags=re.DOTALL)
    return text.encode("utf-8")
