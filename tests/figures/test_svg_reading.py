"""The SVG reader must detect what is wrong with a figure."""

from pathlib import Path

import pytest
from figures.svg_reading import check_svg, read_svg

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">'
    "<title>A title</title><desc>A description</desc>"
)
TEXT = '<text x="{x}" y="{y}" style="font-size: {size}px; font-family: sans-serif">{text}</text>'


def written(tmp_path: Path, body: str, head: str = HEAD) -> Path:
    path = tmp_path / "figure.svg"
    path.write_text(head + body + "</svg>", encoding="utf-8")
    return path


def word(text: str = "word", x: float = 10, y: float = 50, size: float = 8) -> str:
    return TEXT.format(text=text, x=x, y=y, size=size)


def test_a_sound_figure_has_no_defects(tmp_path):
    body = word() + word("below", y=60) + '<path d="M 50 10 L 60 20" style="stroke: #000000"/>'
    assert check_svg(written(tmp_path, body)) == []


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        (word() + word("over", x=12, y=52), '"word" and "over" overlap'),
        (word(x=190), '"word" leaves the page'),
        (word(y=3), '"word" leaves the page'),
        (word(size=5.5), '"word" has 5.5 points'),
        (word() + '<path d="M 0 48 L 150 48" style="stroke: #000000"/>', "runs through"),
        (word() + '<path d="M 0 5 L 250 5" style="stroke: #000000"/>', "leaves the page"),
        ("", "no text"),
    ],
)
def test_each_defect_is_found(tmp_path, body, defect):
    found = check_svg(written(tmp_path, body))
    assert len(found) == 1
    assert defect in found[0]


DISC = '<path d="M 5 38 L 40 38 L 40 58 L 5 58 z" style="fill: {fill}"/>'


@pytest.mark.parametrize(
    ("fill", "defects"),
    # black on pale green is legible; on dark grey its contrast is 1.7 to 1, below the 4.5 required
    [("#8cc28c", 0), ("#333333", 1)],
)
def test_a_text_may_stand_on_a_shape_where_it_can_be_read(tmp_path, fill, defects):
    assert len(check_svg(written(tmp_path, DISC.format(fill=fill) + word()))) == defects


def test_a_missing_title_and_description_are_found(tmp_path):
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">'
    assert check_svg(written(tmp_path, word(), head)) == ["no title", "no description"]


def test_widths_are_those_of_the_font(tmp_path):
    # "H" is 1479 units of 2048 wide in the font
    (found,) = read_svg(written(tmp_path, word("H", x=0, size=10))).words
    assert found.box[2] == pytest.approx(10 * 1479 / 2048, abs=0.01)
