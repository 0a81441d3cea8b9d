"""Figures as elements of a page, and rows of figures as links."""

from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from trial_evidence.report.page.svg import RowLink, image_data, inline_svg

DRAWING = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="100.5pt" height="50pt"
 viewBox="0 0 100.5 50" xmlns="http://www.w3.org/2000/svg" version="1.1">
 <title>A title</title><desc>A text</desc>
 <metadata>about</metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="axes"><g id="empty"/>
  <path id="mark" d="M 1.23456 2.5
L 3.999999 4.0
z" clip-path="url(#box)" style="fill: #ffffff"/>
  <use xlink:href="#mark" x="1.0"/>
  <text style="font-size: 8px" x="9" y="20.0001" transform="rotate(-0 9 20)">First (2020)</text>
  <text style="font-size: 8px" x="90" y="20.0001">1.10 (0.90–1.30)</text>
  <text style="font-size: 8px" x="9" y="40">First (2020)</text>
  <text style="font-size: 8px" x="90" y="40">2.00 (1.00–4.00)</text>
 </g>
 <defs><clipPath id="box"><rect x="0" y="0" width="1.00001" height="1"/></clipPath></defs>
</svg>"""
LONG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
 <text style="font-size: 8px" x="9" y="10">A trial whose</text>
 <text style="font-size: 8px" x="9" y="20">name is lo…</text>
 <text style="font-size: 8px" x="9" y="30">A trial</text>
</svg>"""


def tree(text):
    return ElementTree.fromstring(text)


def anchors(text):
    return [
        (a.get("href"), float(a[0].get("y")), float(a[0].get("height")))
        for a in tree(text).iter("{http://www.w3.org/2000/svg}a")
    ]


def test_ids_are_the_pages_own_and_still_meet():
    text = inline_svg(DRAWING, "p7", "what it shows")
    ids = {element.get("id") for element in tree(text).iter()} - {None}
    assert len(ids) == 2
    other = inline_svg(DRAWING, "p8", "what it shows")
    assert not ids & {element.get("id") for element in tree(other).iter()}
    mark, box = (
        next(e for e in tree(text).iter() if e.tag.endswith(tag)) for tag in ("use", "path")
    )
    assert {mark.get("href").removeprefix("#"), box.get("clip-path")[5:-1]} == ids
    assert box.get("id") == mark.get("href")[1:]


def test_what_the_page_says_itself_is_left_out():
    text = inline_svg(DRAWING, "p", "what it shows")
    root = tree(text)
    assert not [e.tag for e in root.iter() if e.tag.endswith(("title", "desc", "metadata"))]
    assert "stroke-linejoin: round}" not in text
    assert (root.get("role"), root.get("aria-label")) == ("img", "what it shows")


def test_coordinates_are_rounded_and_texts_are_not():
    text = inline_svg(DRAWING.replace("1.10 (0.90–1.30)", "1.23456"), "p", "")
    assert 'd="M1.2 2.5L4 4z"' in text
    assert ">1.23456<" in text


def test_lines_of_one_look_become_one_and_others_stay():
    line = '<path d="M {} L {}" style="fill: none; stroke: {}"/>'
    drawn = [("1 1", "2 2", "red"), ("2 2", "3 3", "red"), ("5 5", "6 6", "red"),
             ("6 6", "7 7", "blue")]  # fmt: skip
    content = "".join(f"<g>{line.format(*one)}</g>" for one in drawn)
    text = inline_svg(f'<svg xmlns="http://www.w3.org/2000/svg">{content}</svg>', "p", "")
    found = [(e.get("d"), e.get("style")) for e in tree(text)]
    assert found == [
        ("M1 1L2 2L3 3M5 5L6 6", "fill:none;stroke:red"), ("M6 6L7 7", "fill:none;stroke:blue"),
    ]  # fmt: skip


def test_lines_wholly_outside_the_axes_do_not_stop_the_page():
    """Matplotlib writes them without points: the limits of a regression of three trials."""
    content = '<path style="fill: none; stroke: #8db3dc"/>' * 2
    content += '<path d="M 1 1 L 2 2" style="fill: none; stroke: #8db3dc"/>'
    found = tree(inline_svg(f'<svg xmlns="http://www.w3.org/2000/svg">{content}</svg>', "f", ""))
    assert [e.get("d") for e in found.iter() if e.tag.endswith("path")] == ["M1 1L2 2"]


@pytest.mark.parametrize("look", ["fill: #fff", "fill: none; stroke-opacity: 0.5"])
def test_areas_and_veils_are_never_joined(look):
    content = f'<path d="M 1 1 L 2 2" style="{look}"/>' * 2
    text = inline_svg(f'<svg xmlns="http://www.w3.org/2000/svg">{content}</svg>', "p", "")
    rules, *drawn = tree(text)
    assert [e.get("d") for e in drawn] == ["M1 1L2 2"] * 2
    # The shared style becomes a class of both elements.
    (name,) = {e.get("class") for e in drawn}
    assert rules.text == f".{name}{{{look.replace(': ', ':').replace('; ', ';')}}}"


def test_a_clip_to_all_of_the_drawing_says_nothing_and_a_smaller_one_stays():
    clips = "".join(
        f'<clipPath id="{name}"><rect x="0" y="0" width="{width}" height="10"/></clipPath>'
        for name, width in (("whole", 20), ("part", 19))
    )
    drawn = "".join(f'<path d="M0 0L9 {n}" clip-path="url(#{name})" style="fill:#fff"/>'
                    for n, name in enumerate(("whole", "part")))  # fmt: skip
    around = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"'
    root = tree(inline_svg(f"<svg {around}><defs>{clips}</defs>{drawn}</svg>", "p", ""))
    clipped = [e.get("clip-path", "") for e in root.iter() if e.get("d")]
    assert clipped[0] == ""
    assert clipped[1].startswith("url(#")


def test_a_row_is_linked_by_its_label_and_told_apart_by_its_result():
    links = [
        RowLink(("First", "First (2020)"), "2.00 (1.00–4.00)", "row-b", "b"),
        RowLink(("First", "First (2020)"), "1.10 (0.90–1.30)", "row-a", "a"),
        RowLink(("Second",), "1.00", "row-c", "c"),
    ]
    text = inline_svg(DRAWING, "p", "", links)
    assert text.count("<a ") == 2
    found = anchors(text)
    # A row is 1.6 type sizes high and begins 1.1 above the baseline: 40 - 8.8 and 20 - 8.8.
    assert found == [("#row-b", 31.2, 12.8), ("#row-a", 11.2, 12.8)]
    assert tree(text).get("role") == "group"


def test_a_wrapped_and_cut_label_is_found():
    links = [RowLink(("A trial whose name is long",), "", "row-l", "l"),
             RowLink(("A trial",), "", "row-s", "s")]  # fmt: skip
    text = inline_svg(LONG, "p", "", links)
    assert text.count("<a ") == 2
    # Two lines 10 apart: height 10 + 1.6 * 8.
    assert anchors(text) == [("#row-l", 1.2, 22.8), ("#row-s", 21.2, 12.8)]


def test_markup_in_a_tip_is_text():
    link = RowLink(("First (2020)",), "1.10 (0.90–1.30)", "row", '<script>"')
    text = inline_svg(DRAWING, "p", "<b>", [link])
    assert "<script" not in text
    assert "<b>" not in text


def test_a_small_drawing_stays_a_drawing_and_a_large_one_becomes_pixels(tmp_path):
    (tmp_path / "small.svg").write_text(DRAWING, encoding="utf-8")
    noise = np.random.default_rng(1).integers(0, 255, (40, 3000, 3), dtype=np.uint8)
    for name in ("small", "large"):
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    path = "<path d='M 1.11 1.11 L 2.22 2.22'/>"
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{path * 20000}</svg>'
    (tmp_path / "large.svg").write_text(drawing, encoding="utf-8")
    address = image_data(tmp_path / "small")
    assert address.startswith("data:image/svg+xml,")
    assert not set('"#&\n') & set(address)
    assert "2.00 (1.00–4.00)" in unquote(address)
    assert image_data(tmp_path / "large").startswith("data:image/webp;base64,")


def test_a_figure_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        image_data(tmp_path / "nothing")
