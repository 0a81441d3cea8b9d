"""Styles: every size, width and colour of a figure, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from trial_evidence.figures.canvas.text import MM_PER_POINT


@dataclass(frozen=True)
class Style:
    """Sizes and colours of a page.

    Names give the units: lengths are millimetres on the page, font sizes and line widths points.
    The colours also differ in lightness, so that a figure printed in grey loses nothing.
    """

    width_mm: float = 180.0
    margin_mm: float = 2.0

    title_pt: float = 9.0
    text_pt: float = 8.0
    footnote_pt: float = 7.0
    leading: float = 1.25
    name_lines: int = 2

    row_mm: float = 4.6
    gap_row_mm: float = 2.2
    column_gap_mm: float = 3.6
    panel_gap_mm: float = 4.0
    panel_min_mm: float = 44.0
    text_column_min_mm: float = 28.0
    indent_mm: float = 1.3
    block_gap_mm: float = 1.8
    tick_mm: float = 1.1

    square_max_mm: float = 3.3
    square_min_mm: float = 1.2
    square_unweighted_mm: float = 1.7
    subtotal_mm: float = 2.7
    overall_mm: float = 3.3
    secondary_mm: float = 1.7
    prediction_mm: float = 1.1
    arrow_mm: float = 1.8

    rule_pt: float = 0.7
    interval_pt: float = 0.8
    outline_pt: float = 0.7
    hair_pt: float = 0.5

    ink: str = "#1A1A1A"
    muted: str = "#666666"
    band: str = "#F3F4F6"
    paper: str = "#FFFFFF"
    accent: str = "#0B5394"
    accent_light: str = "#8DB3DC"
    accent_pale: str = "#DCE8F4"

    # what some journals require: no title in the picture, a raised decimal point, reference numbers
    # and follow-up next to trials
    title: bool = True
    decimal_mark: str = "."
    references: bool = False
    follow_up: bool = False

    # sentences under a plot and footnotes, which nobody reads on a screen; with details, every
    # model and interval, for a supplement
    small_print: bool = True
    details: bool = False

    # next to a forest plot and in traffic lights; the sign in each disc conveys the same in grey
    risk_of_bias: bool = True
    light_mm: float = 3.0
    low_risk: str = "#8CC28C"
    some_concerns: str = "#F2D16B"
    high_risk: str = "#B5372F"

    def leading_mm(self, size_pt: float) -> float:
        """Height of a line of text."""
        return size_pt * MM_PER_POINT * self.leading

    @property
    def accent_faint(self) -> str:
        """Halfway from `paper` to `accent_pale`. It carries meaning; `band` may be white."""
        return mixed(self.paper, self.accent_pale, 0.5)

    @property
    def judgements(self) -> Mapping[str, str]:
        """Colours of risk-of-bias judgements."""
        return {"low": self.low_risk, "some_concerns": self.some_concerns, "high": self.high_risk}


@lru_cache(maxsize=512)
def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, as hex: the first at share 0, the second at 1."""
    share = min(max(share, 0.0), 1.0)
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in pairs)


# Smaller values for narrower pages: one and a half columns, and one column.
_NARROWER: Mapping[str, tuple[Any, Any]] = {
    "width_mm": (120.0, 85.0),
    "margin_mm": (1.5, 1.0),
    "title_pt": (8.0, 7.0),
    "text_pt": (7.0, 6.25),
    "footnote_pt": (6.25, 6.0),
    "row_mm": (4.1, 3.7),
    "gap_row_mm": (1.8, 1.5),
    "column_gap_mm": (2.6, 1.8),
    "panel_gap_mm": (2.8, 2.0),
    "panel_min_mm": (36.0, 28.4),
    "text_column_min_mm": (24.0, 18.0),
    "indent_mm": (1.0, 0.8),
    "tick_mm": (1.1, 0.9),
    "square_max_mm": (2.8, 2.4),
    "square_min_mm": (1.0, 0.9),
    "square_unweighted_mm": (1.4, 1.2),
    "subtotal_mm": (2.3, 2.0),
    "overall_mm": (2.8, 2.4),
    "secondary_mm": (1.5, 1.3),
    "prediction_mm": (0.95, 0.8),
    "arrow_mm": (1.5, 1.3),
    "rule_pt": (0.7, 0.6),
    "interval_pt": (0.7, 0.6),
    "outline_pt": (0.7, 0.6),
    "hair_pt": (0.5, 0.4),
    "risk_of_bias": (False, False),
    "light_mm": (2.8, 2.6),
}

NARROWEST_MM = 75.0
"""The narrowest page that is legible in print."""
# Minimum widths that shrink with the page.
_SHARING = ("panel", "text_column")

PRESETS: Mapping[str, Style] = {
    "page": Style(),
    "wide_column": Style(**{name: wide for name, (wide, _) in _NARROWER.items()}),
    "column": Style(**{name: narrow for name, (_, narrow) in _NARROWER.items()}),
}
"""Widths of journals: a page (180 mm), one and a half columns (120 mm), a column (85 mm)."""


def style_for(width_mm: float) -> Style:
    """The widest preset that is no wider than a width, set to that width.

    Parameters
    ----------
    width_mm
        Width of the page, `NARROWEST_MM` or more; below one column, minimum widths shrink in
        proportion.

    Returns
    -------
    Style
        A preset with its page set to the width.

    Raises
    ------
    ValueError
        If the width is below `NARROWEST_MM`.
    """
    for style in PRESETS.values():
        if style.width_mm <= width_mm:
            return replace(style, width_mm=width_mm)
    if width_mm < NARROWEST_MM:
        least = f"the narrowest has {NARROWEST_MM:g} mm"
        raise ValueError(f"a figure of {width_mm:g} mm cannot be read; {least}")
    share = width_mm / style.width_mm
    least_mm = {f"{of}_min_mm": share * getattr(style, f"{of}_min_mm") for of in _SHARING}
    return replace(style, width_mm=width_mm, **least_mm)


def styled(changes: Mapping[str, Any], width_mm: float, magnification: float = 1.0) -> Style:
    """The preset for a width with some of its fields changed.

    Parameters
    ----------
    changes
        Fields of `Style` and their values before magnification.
    width_mm
        Width of the finished page, `NARROWEST_MM` times the magnification or more.
    magnification
        Enlargement relative to print: a slide read from the back of a room is laid out as a smaller
        page and then enlarged.

    Returns
    -------
    Style
        All lengths and type sizes magnified.

    Raises
    ------
    ValueError
        If the page is too narrow; see `style_for`.
    """
    style = replace(style_for(width_mm / magnification), **changes)
    return replace(magnified(style, magnification), width_mm=width_mm)


def magnified(style: Style, by: float) -> Style:
    """The style with all lengths and type sizes magnified, except the width of the page."""
    larger = {
        field.name: getattr(style, field.name) * by
        for field in fields(style)
        if field.name.endswith(("_mm", "_pt")) and field.name != "width_mm"
    }
    return replace(style, **larger)
