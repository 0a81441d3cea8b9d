"""Text measured with the bundled font, so that columns and line breaks are the same on any machine.

The font is Liberation Sans, whose advance widths are those of Arial and Helvetica: a layout made
with it still fits if an SVG viewer falls back on one of these. The bundled files omit tables that
no page uses and that would have to be removed from every PDF (fonts/CHANGES.txt), and therefore
carry another name.
"""

import re
import unicodedata
from bisect import bisect
from functools import cache, lru_cache
from pathlib import Path

from matplotlib.ft2font import FT2Font, LoadFlags

FONT_FAMILY = "Liberation Sans"
FALLBACK_FAMILIES = ("Arial", "Helvetica", "sans-serif")
CAP_HEIGHT_EM = 1409 / 2048
MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

# readers take "p = 0.03" as one word
_RELATIONS = frozenset("=<>±≤≥")
# letters that fill two lines or more
_LONG = 400
_BLANKS = re.compile("[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")
# halves of surrogate pairs; control characters, and two code points that are no characters
_HALVES, _CONTROLS = re.compile(r"[\ud800-\udfff]"), re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


def font_path(bold: bool = False) -> Path:
    """Path of the bundled font file.

    Parameters
    ----------
    bold
        The bold instead of the regular font.

    Returns
    -------
    Path
        A TrueType file.
    """
    cut = "Bold" if bold else "Regular"
    return Path(__file__).parent / "fonts" / f"FigureSans-{cut}.ttf"


def clean(text: str) -> str:
    """Make one line of text that XML can hold: collapse blanks, drop control characters.

    Parameters
    ----------
    text
        Any string. No-break spaces stay.

    Returns
    -------
    str
        The text, trimmed; halves of surrogate pairs become U+FFFD.
    """
    whole = _HALVES.sub("\N{REPLACEMENT CHARACTER}", _BLANKS.sub(" ", text))
    return _CONTROLS.sub("", whole).strip(" ")


@cache
def _advances(bold: bool) -> dict[str, float]:
    font = FT2Font(str(font_path(bold)))
    return {
        chr(code): font.load_glyph(glyph, LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM
        for code, glyph in font.get_charmap().items()
    }


def _advance(character: str, bold: bool) -> float:
    known = _advances(bold).get(character)
    if known is not None:
        return known
    # a viewer takes the glyph from another font: nearly every letter fits into one em
    return 0.0 if unicodedata.category(character) in {"Mn", "Me", "Cf"} else 1.0


@lru_cache(maxsize=20_000)
def _width_em(text: str, bold: bool) -> float:
    return sum(_advance(character, bold) for character in text)


def text_width_mm(text: str, size_pt: float, bold: bool = False) -> float:
    """Width of one line of text, as the sum of its advance widths.

    Kerning is left out: it differs between viewers and only makes text narrower.

    Parameters
    ----------
    text
        One line.
    size_pt
        Font size in points.
    bold
        Measure in bold.

    Returns
    -------
    float
        Width in millimetres.
    """
    return _width_em(text, bold) * size_pt * MM_PER_POINT


def capital_mm(size_pt: float) -> float:
    """Height of a capital letter in millimetres."""
    return CAP_HEIGHT_EM * size_pt * MM_PER_POINT


def shorten(text: str, width_mm: float, size_pt: float, bold: bool = False) -> str:
    """Cut a line to a width, ending in an ellipsis; unchanged if it fits.

    Parameters
    ----------
    text
        One line.
    width_mm
        Available width in millimetres.
    size_pt
        Font size in points.
    bold
        Measure in bold.

    Returns
    -------
    str
        The text, or its beginning and an ellipsis; the ellipsis alone if nothing else fits.
    """
    if text_width_mm(text, size_pt, bold) <= width_mm:
        return text

    def cut(kept: int) -> str:
        return text[:kept].rstrip() + ELLIPSIS

    # the width grows with every character kept
    lengths = range(1, len(text))
    return cut(bisect(lengths, width_mm, key=lambda kept: text_width_mm(cut(kept), size_pt, bold)))


def wrap(
    text: str, width_mm: float, size_pt: float, bold: bool = False, most_lines: int | None = None
) -> tuple[str, ...]:
    """Break text into lines at blanks; inside a word only if the word is wider than a line.

    Blanks next to =, <, > and the like do not break, so that ``p = 0.03`` stays together.

    Parameters
    ----------
    text
        Any text; cleaned first.
    width_mm
        Available width in millimetres.
    size_pt
        Font size in points.
    bold
        Measure in bold.
    most_lines
        Maximum number of lines; the last ends in an ellipsis if anything is left out.

    Returns
    -------
    tuple of str
        The lines; none for empty text.
    """
    lines: list[str] = []
    rest = clean(text)
    while rest:
        if most_lines is not None and len(lines) == most_lines - 1:
            lines.append(shorten(rest, width_mm, size_pt, bold))
            break
        line = _first_line(rest, width_mm, size_pt, bold)
        lines.append(line)
        rest = rest[len(line) :].lstrip(" ")
    return tuple(lines)


def _first_line(text: str, width_mm: float, size_pt: float, bold: bool) -> str:
    # the beginning of a long text is enough to tell that it is wider than one line
    if (
        text_width_mm(text[:_LONG], size_pt, bold) <= width_mm
        and text_width_mm(text, size_pt, bold) <= width_mm
    ):
        return text
    used, fitting, last_blank = 0.0, 0, 0
    for index, character in enumerate(text):
        if character == " " and not _RELATIONS & set(text[index - 1 : index + 2]):
            last_blank = index
        used += text_width_mm(character, size_pt, bold)
        if used > width_mm and character != " ":
            break
        fitting = index + 1
    # at least one character per line, or the loop would never end
    return text[:last_blank] if last_blank else text[: max(1, fitting)]
