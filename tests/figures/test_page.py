"""Saving pages: identical bytes, complete files, nothing left behind."""

import gc
import subprocess
import sys
import weakref
import zlib
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager
from matplotlib.text import Text as FigureText
from PIL import Image
from trial_evidence.figures.canvas import page as page_module
from trial_evidence.figures.canvas.page import Page, Polygon, Segment, Text, draw, save_page

SQUARE = ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))
PAGE = Page(
    width_mm=50.8,
    height_mm=25.4,
    title="A title",
    description="A description",
    bands=(Polygon("band", SQUARE, "#F3F4F6", "#F3F4F6", 0.0),),
    segments=(
        Segment("rule", (0.0, 5.0), (50.0, 5.0), "#000000", 0.5),
        Segment("guide", (30.0, 5.0), (30.0, 20.0), "#0B5394", 0.5, dashed=True),
    ),
    polygons=(Polygon("square", SQUARE, "#1A1A1A", "#1A1A1A", 0.0),),
    texts=(
        Text("cell", "regular", 1.0, 9.0, 8.0, "#1A1A1A"),
        Text("cell", "bold", 50.0, 9.0, 8.0, "#1A1A1A", "right", bold=True),
    ),
)
FORMATS = ("svg", "pdf", "png")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_two_saves_have_the_same_bytes(tmp_path):
    save_page(PAGE, tmp_path / "one/page")
    # another process has another hash seed and another clock
    script = (
        "import sys; from pathlib import Path; from figures.test_page import PAGE;"
        "from trial_evidence.figures.canvas.page import save_page;"
        "save_page(PAGE, Path(sys.argv[1]))"
    )
    paths = [str(Path(__file__).parents[1]), str(Path(page_module.__file__).parents[3])]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}; {script}",
         str(tmp_path / "two/page")],
        check=True,
    )  # fmt: skip
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert list(contents(tmp_path / "one")) == ["page.pdf", "page.png", "page.svg"]


def test_a_file_says_nothing_of_when_or_by_what_it_was_made(tmp_path):
    save_page(PAGE, tmp_path / "page")
    for name, content in contents(tmp_path).items():
        assert b"CreationDate" not in content, name
        assert b"dc:date" not in content, name


def test_a_name_with_a_point_keeps_it(tmp_path):
    save_page(PAGE, tmp_path / "page.v1", ("svg",))
    assert list(contents(tmp_path)) == ["page.v1.svg"]


def test_png_has_300_dots_per_inch(tmp_path):
    save_page(PAGE, tmp_path / "page", ("png",))
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == (600, 300)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_millimetres_are_where_they_should_be(tmp_path):
    save_page(PAGE, tmp_path / "page", ("png",))
    with Image.open(tmp_path / "page.png").convert("L") as image:
        # the square extends from 10 to 20 mm, which is 118.1 to 236.2 dots
        assert image.getpixel((120, 177)) < 60
        assert image.getpixel((234, 177)) < 60
        assert image.getpixel((115, 177)) > 200
        assert image.getpixel((240, 177)) > 200


@pytest.mark.parametrize("kind", ["svg", "pdf", "png", "eps"])
def test_a_line_is_where_matplotlib_would_lay_it_out(tmp_path, monkeypatch, kind):
    lines = [
        Text("cell", "Tyß 0·63 (0·48–0·82)", x, y, 7.3, "#0B5394", align, bold=bold)
        for y, bold in ((8.0, False), (16.0, True))
        for x, align in ((1.0, "left"), (25.1, "center"), (49.7, "right"))
    ]
    page = replace(PAGE, texts=(*PAGE.texts, *lines, Text("cell", "", 5.0, 5.0, 8.0, "#1A1A1A")))
    save_page(page, tmp_path / "ours", (kind,))
    monkeypatch.setattr(page_module, "Line", FigureText)
    save_page(page, tmp_path / "theirs", (kind,))
    ours, theirs = (tmp_path / f"{name}.{kind}" for name in ("ours", "theirs"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_page_of_metres_has_no_more_dots_than_programs_open(tmp_path):
    save_page(replace(PAGE, height_mm=4000.0), tmp_path / "page", ("png",))
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == (254, 20_000)
        assert image.info["dpi"] == pytest.approx((127, 127), abs=0.1)


def test_a_long_page_leaves_nothing_in_memory(tmp_path, monkeypatch):
    drawn = []

    def remembered(page):
        figure = draw(page)
        drawn.append(weakref.ref(figure))
        return figure

    monkeypatch.setattr(page_module, "draw", remembered)
    gc.disable()
    try:
        save_page(replace(PAGE, height_mm=400.0), tmp_path / "page", ("svg", "png"))
        assert [figure() for figure in drawn] == [None]
    finally:
        gc.enable()


def test_png_has_nothing_transparent_and_says_what_it_shows(tmp_path):
    save_page(PAGE, tmp_path / "page", ("png",))
    with Image.open(tmp_path / "page.png") as image:
        assert image.mode == "RGB"
        assert (image.info["Title"], image.info["Description"]) == ("A title", "A description")


def test_pdf_embeds_the_bundled_fonts_as_truetype(tmp_path):
    save_page(PAGE, tmp_path / "page", ("pdf",))
    content = (tmp_path / "page.pdf").read_bytes()
    assert b"FigureSans-Bold" in content or b"FigureSans-Bold" in _inflated(content)
    assert b"/CIDFontType2" in content + _inflated(content)
    assert b"DejaVu" not in content + _inflated(content)


def _inflated(content: bytes) -> bytes:
    found = b""
    for part in content.split(b"stream\n")[1:]:
        inflater = zlib.decompressobj()
        if part[:1] == b"x":
            found += inflater.decompress(part)
    return found


def test_svg_keeps_text_and_names_fonts_that_other_machines_have(tmp_path):
    save_page(PAGE, tmp_path / "page", ("svg",))
    content = (tmp_path / "page.svg").read_text(encoding="utf-8")
    assert ">regular</text>" in content
    assert content.count("font-family: 'Liberation Sans', Arial, Helvetica, sans-serif") == 2


def test_saving_leaves_the_process_as_it_was(tmp_path):
    settings = dict(mpl.rcParams)
    fonts = list(font_manager.fontManager.ttflist)
    save_page(PAGE, tmp_path / "page")
    assert dict(mpl.rcParams) == settings
    assert font_manager.fontManager.ttflist == fonts
    assert plt.get_fignums() == []


def test_whoever_draws_may_have_set_other_defaults(tmp_path):
    save_page(PAGE, tmp_path / "one/page")
    with mpl.rc_context({"savefig.dpi": 50, "savefig.bbox": "tight", "font.size": 30}):
        save_page(PAGE, tmp_path / "two/page")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_failure_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch):
    for kind in FORMATS:
        (tmp_path / f"page.{kind}").write_text("old", encoding="utf-8")
    render = page_module._render

    def fail_at_last(figure, page, kind, dpi):
        if kind == "png":
            raise OSError("no room")
        return render(figure, page, kind, dpi)

    monkeypatch.setattr(page_module, "_render", fail_at_last)
    with pytest.raises(OSError, match="no room"):
        save_page(PAGE, tmp_path / "page", FORMATS)
    assert contents(tmp_path) == {f"page.{kind}": b"old" for kind in sorted(FORMATS)}


def test_an_empty_page_can_be_drawn(tmp_path):
    empty = Page(20.0, 10.0, "", "", (), (), (), ())
    save_page(empty, tmp_path / "page")
    assert len(contents(tmp_path)) == 3


def test_a_page_is_one_figure_of_its_size():
    assert tuple(draw(PAGE).get_size_inches()) == (2.0, 1.0)
