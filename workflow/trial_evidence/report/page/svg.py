"""The pipeline's figures inside a page: compact, with unique ids and linked rows."""

import base64
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree
from zlib import crc32

from trial_evidence.figures.canvas.pixels import few_colours

SVG = "http://www.w3.org/2000/svg"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
# Elements that repeat what the page says around the figure, or that must not be in a page: the
# file's style rules for every element would apply to all other figures.
DROPPED = {f"{{{SVG}}}{name}" for name in ("title", "desc", "metadata", "style", "script")}
GEOMETRY = {"d", "x", "y", "transform", "width", "height", "points"}
_GROUP = f"{{{SVG}}}g"
# Superfluous spaces: around the letters of a path, and after the punctuation of a style.
_PACKED = {"d": re.compile(r" ?([A-Za-z]) ?"), "style": re.compile("([:;]) ")}
_FONT = re.compile(r"font-family:[^;\"]*;?")
_PLAIN = " !$'()*+,-./:;<=>?@[]^_`{|}~"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
STROKES = "stroke-linejoin:round;stroke-linecap:butt"
# Larger drawings (hundreds of thousands of points) are shown as images of this width in pixels.
LARGEST_SVG = 300_000
PIXELS = 1100


@dataclass(frozen=True)
class RowLink:
    """A link laid over a trial's row in a figure.

    Attributes
    ----------
    labels : tuple of str
        Names of the trial that the figure may print.
    printed : str
        Its result as printed, which distinguishes two rows of the same trial.
    target : str
        Anchor in the page, without ``#``.
    tip : str
        Text on the source, shown on hover and focus.
    """

    labels: tuple[str, ...]
    printed: str
    target: str
    tip: str


def inline_svg(text: str, prefix: str, description: str, links: Sequence[RowLink] = ()) -> str:
    """A figure as an element of a page.

    Parameters
    ----------
    text : str
        SVG file as written by the figure stages.
    prefix : str
        Makes every id unique among the figures of one page.
    description : str
        What the figure shows, in words.
    links : sequence of RowLink
        Rows that become links; a row whose label the figure does not print is left out.

    Returns
    -------
    str
        The element, coordinates rounded to a tenth of a point.
    """
    root = ElementTree.fromstring(text)
    _drop(root)
    _unclip(root)
    _rename_ids(root, prefix)
    for element in root.iter():
        for name in GEOMETRY & set(element.attrib):
            element.set(name, _rounded(element.attrib[name]))
        if re.match(r"rotate\(-?0(\.0)? ", element.get("transform", "")):
            del element.attrib["transform"]
        if element.text is not None and not element.text.strip():
            element.text = None
        element.tail = None
    linked = _link(root, links)
    _compact(root)
    font = _font(root)
    _class_looks(root)
    root.attrib.pop("version", None)
    root.set("style", STROKES + font)
    # The role "img" would hide the links from screen readers; "group" does not.
    root.set("role", "group" if linked else "img")
    root.set("aria-label", description)
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def image_data(path: Path) -> str:
    """A figure file as a data address.

    Parameters
    ----------
    path : Path
        Stem of a figure that exists as ``.svg``, ``.png`` or both.

    Returns
    -------
    str
        ``data:`` address: the drawing if it is small, else the PNG in fewer colours.

    Raises
    ------
    FileNotFoundError
        If neither file exists.
    """
    drawing, pixels = path.with_name(f"{path.name}.svg"), path.with_name(f"{path.name}.png")
    if drawing.is_file() and (drawing.stat().st_size <= 2 * LARGEST_SVG or not pixels.is_file()):
        compact = inline_svg(drawing.read_text(encoding="utf-8"), "f", "")
        if len(compact) <= LARGEST_SVG or not pixels.is_file():
            return _text_address(compact)
    return f"data:image/webp;base64,{base64.b64encode(_fewer_pixels(pixels)).decode('ascii')}"


def _text_address(content: str) -> str:
    """A drawing as a percent-encoded address, a sixth shorter than in base64."""
    # A single quotation mark needs no encoding.
    lighter = re.sub(r'="([^"\']*)"', r"='\1'", content)
    return f"data:image/svg+xml,{quote(lighter, safe=_PLAIN)}"


def _fewer_pixels(path: Path) -> bytes:
    result = io.BytesIO()
    flat = few_colours(path, PIXELS).convert("RGB")
    # More effort takes fifteen times as long and saves nothing.
    flat.save(result, "WEBP", lossless=True, quality=25, method=1)
    return result.getvalue()


def _drop(root: ElementTree.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            # A line wholly outside the axes is a path without points.
            nowhere = child.tag == f"{{{SVG}}}path" and "d" not in child.attrib
            empty = nowhere or (child.tag == _GROUP and len(child) == 0)
            if child.tag in DROPPED or empty:
                parent.remove(child)


def _unclip(root: ElementTree.Element) -> None:
    """Remove clip paths that cover the whole drawing: it ends there anyway."""
    _, _, width, height = map(float, root.get("viewBox", "0 0 0 0").split())
    whole = set()
    for clip in root.iter(f"{{{SVG}}}clipPath"):
        rect = next(iter(clip), None)
        if rect is not None and rect.tag == f"{{{SVG}}}rect":
            x, y, w, h = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            if x <= 0 and y <= 0 and x + w >= width and y + h >= height:
                whole.add(f"url(#{clip.get('id')})")
    for element in root.iter():
        if element.get("clip-path") in whole:
            del element.attrib["clip-path"]


def _compact(root: ElementTree.Element) -> None:
    """Shorten the drawing: no groups without attributes, one path for lines of the same look."""
    for parent in list(root.iter()):
        _unwrap(parent)
        _merge(parent, _alike, ElementTree.Element.extend)
    for parent in root.iter():
        for child in parent:
            for name in _PACKED.keys() & child.attrib.keys():
                child.set(name, _PACKED[name].sub(r"\1", child.attrib[name]))
        _merge(parent, _one_look, _join)


def _unwrap(parent: ElementTree.Element) -> None:
    """Replace groups without attributes by their children."""
    while any(child.tag == _GROUP and not child.attrib for child in parent):
        parent[:] = [
            inner
            for child in parent
            for inner in (child if child.tag == _GROUP and not child.attrib else [child])
        ]


def _merge(
    parent: ElementTree.Element, alike: Callable[..., bool], add: Callable[..., None]
) -> None:
    """Add children that are like the one before them to that one."""
    before = None
    for child in list(parent):
        if before is not None and alike(before, child):
            add(before, child)
            parent.remove(child)
        else:
            before = child


def _alike(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    """Whether two elements are groups with the same attributes."""
    return one.tag == other.tag == _GROUP and one.attrib == other.attrib and "id" not in one.attrib


def _font(root: ElementTree.Element) -> str:
    """Remove the most common font from the texts; they inherit it from the drawing."""
    named = [m[0] for e in root.iter() for m in _FONT.finditer(e.get("style", ""))]
    if not named:
        return ""
    common = max(set(named), key=named.count)
    for element in root.iter():
        if common in element.get("style", ""):
            element.set("style", element.attrib["style"].replace(common, ""))
    return f";{common.rstrip(';')}"


def _class_looks(root: ElementTree.Element) -> None:
    """Turn styles that several elements share into classes.

    The name of a class is derived from its style, because all drawings in a page share rules.
    """
    looks = [element.attrib["style"] for element in root.iter() if "style" in element.attrib]
    often = {look for look, times in Counter(looks).items() if times > 1}
    if not often:
        return
    names = {look: _short_name(look) for look in sorted(often)}
    for element in root.iter():
        look = element.get("style")
        if look in names:
            del element.attrib["style"]
            element.set("class", names[look])
    rules = ElementTree.Element(f"{{{SVG}}}style")
    rules.text = "".join(f".{name}{{{look}}}" for look, name in names.items())
    root.insert(0, rules)


def _short_name(look: str) -> str:
    """Five letters and digits derived from a style; enough to tell some hundred styles apart."""
    rest, name = crc32(look.encode()), ""
    for signs in (_LETTERS, *[_LETTERS + "0123456789"] * 4):
        rest, at = divmod(rest, len(signs))
        name += signs[at]
    return name


def _one_look(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    """Whether two lines can be one path: opaque, solid, unfilled and drawn in the same way."""
    looks = [{k: v for k, v in e.attrib.items() if k != "d"} for e in (one, other)]
    style = one.get("style", "")
    return (
        one.tag == other.tag == f"{{{SVG}}}path"
        and looks[0] == looks[1]
        and "fill:none" in style
        and "opacity" not in style
        and "dash" not in style
        and "id" not in one.attrib
    )


def _join(one: ElementTree.Element, other: ElementTree.Element) -> None:
    """Two paths as one; a line that begins where the last one ends continues it."""
    path, more = one.attrib["d"], other.attrib["d"]
    start = re.match(r"M(-?[\d.]+ -?[\d.]+)(?=L)", more)
    if start and path.endswith(f"L{start[1]}"):
        more = more[start.end() :]
    one.set("d", path + more)


def _rename_ids(root: ElementTree.Element, prefix: str) -> None:
    """Add a prefix to every id that is used, and drop the others."""
    used: set[str] = set()
    for element in root.iter():
        if XLINK_HREF in element.attrib:
            element.set("href", element.attrib.pop(XLINK_HREF))
        used.update(re.findall(r"url\(#([^)]*)\)", " ".join(element.attrib.values())))
        used.add(element.get("href", "").removeprefix("#"))
    used.discard("")

    known = [element.get("id", "") for element in root.iter()]
    # Short, because it is repeated hundreds of times.
    prefix = f"f{crc32(prefix.encode()):x}"
    short = {id_: f"{prefix}-{at}" for at, id_ in enumerate(filter(used.__contains__, known))}
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            pattern = "(?<=^#)(.*)" if name == "href" else r"(?<=url\(#)([^)]*)"
            element.set(name, re.sub(pattern, lambda m: short.get(m[1], m[1]), value))
        if "id" in element.attrib:
            id_ = element.attrib.pop("id")
            if id_ in short:
                element.set("id", short[id_])


def _rounded(value: str) -> str:
    return " ".join(
        re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value).split()
    )


class _Line(NamedTuple):
    """A text of a drawing."""

    x: float
    y: float
    size: float
    text: str


def _link(root: ElementTree.Element, links: Sequence[RowLink]) -> int:
    """Lay a link over the row of each trial; return the number of links."""
    width = float(root.get("viewBox", "0 0 0 0").split()[2])
    lines = [_line(element) for element in root.iter(f"{{{SVG}}}text")]
    baselines = {(round(line.y, 1), line.text) for line in lines}
    taken: set[_Line] = set()
    for link in links:
        free = (line for line in lines if line not in taken)
        rows = [(ln, height) for ln in free if (height := _label_height(ln, lines, link.labels))]
        if not rows:
            continue
        exact = [row for row in rows if (round(row[0].y, 1), link.printed) in baselines]
        line, height = (exact or rows)[0]
        taken.add(line)
        said = {"href": f"#{link.target}", "aria-label": link.tip}
        anchor = ElementTree.SubElement(root, f"{{{SVG}}}a", said)
        top, fill = f"{line.y - 1.1 * line.size:.2f}", {"fill": "#fff", "fill-opacity": "0"}
        box = {"x": "0", "y": top, "width": f"{width:.2f}", "height": f"{height:.2f}", **fill}
        ElementTree.SubElement(anchor, f"{{{SVG}}}rect", box)
    return len(taken)


def _line(element: ElementTree.Element) -> _Line:
    size = re.search(r"font-size: ([\d.]+)px", element.get("style", ""))
    x, y = (float(element.get(place, "0")) for place in ("x", "y"))
    return _Line(x, y, float(size[1]) if size else 8.0, "".join(element.itertext()))


def _label_height(line: _Line, lines: Sequence[_Line], labels: Sequence[str]) -> float:
    """Height of a row whose label begins with this line; 0 if no label does.

    Long labels are wrapped, and cut with an ellipsis.
    """
    wanted = ["".join(label.split()) for label in labels]
    so_far, last = "", line
    while True:
        so_far += "".join(last.text.split())
        cut = so_far.endswith("…")
        if so_far in wanted or (cut and any(w.startswith(so_far[:-1]) for w in wanted)):
            return last.y - line.y + 1.6 * line.size
        near = (other for other in lines if 0 < other.y - last.y <= 1.4 * line.size)
        below = [other for other in near if other.x == line.x]
        if not below or not so_far or not any(w.startswith(so_far) for w in wanted):
            return 0.0
        last = min(below, key=lambda other: other.y)
