"""The looks in config/styles.yaml: what they may change, and the files they produce."""

from dataclasses import fields
from pathlib import Path

import pytest
from figures.svg_reading import FONTS, check_svg
from figures.test_page import PAGE
from fontTools.ttLib import TTFont
from PIL import Image
from trial_evidence.config.looks import STYLE_FIELDS, read_figure_configuration
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import save_page
from trial_evidence.figures.canvas.style import PRESETS, Style, styled
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.layout import layout

ROOT = Path(__file__).parents[2]
LOOKS = read_figure_configuration(ROOT / "config").styles
JUDGED = Forest(
    title="A title",
    columns=(
        Column("trial", "Trial", "left", "left"),
        Column("result", "Risk ratio", "right", "right"),
        Column("bias", "Bias", "center", "right", 4, ("1", "2", "All"), "What the signs mean."),
    ),
    rows=(
        Row("trial", {"trial": "Trial A", "result": "1.50"}, 0.4, 0.1, 0.7, 60.0,
            ("low", "some_concerns", "high")),
        Row("trial", {"trial": "Trial B", "result": "1.20"}, 0.2, -0.1, 0.5, 40.0),
        Row("overall", {"trial": "All", "result": "1.40"}, 0.3, 0.1, 0.5),
    ),
    axis=Axis("log", 0.0),
    footnotes=("A footnote.",),
    description="A description.",
)  # fmt: skip
CASES = [(name, width) for name, look in LOOKS.items() for width in look.widths_mm]


def test_a_look_may_change_every_field_of_a_style():
    # the width is configured separately
    assert set(STYLE_FIELDS) == {field.name for field in fields(Style)} - {"width_mm"}


def test_the_default_look_is_the_library_s_own():
    for width, preset in ((180.0, "page"), (120.0, "wide_column"), (85.0, "column")):
        assert styled(LOOKS["default"].fields, width) == PRESETS[preset]


@pytest.mark.parametrize(("name", "width"), CASES)
def test_a_look_makes_a_sound_forest_plot(tmp_path, name, width):
    look = LOOKS[name]
    style = styled(look.fields, width, look.magnification)
    page = layout(JUDGED, style)
    save_page(page, tmp_path / "forest", ("svg",))
    assert check_svg(tmp_path / "forest.svg") == []
    text = (tmp_path / "forest.svg").read_text(encoding="utf-8")
    # lights are next to the plot on a page, with an explanation
    assert (">?</text>" in text) == style.risk_of_bias == (width >= 180)
    assert ("What the signs mean." in text) == (style.risk_of_bias and style.small_print)
    # if the picture has no small print, the caption includes it
    assert ("What the signs mean." in page.small_print) == style.risk_of_bias


def test_a_magnified_page_is_the_smaller_one_enlarged():
    slide = styled({"text_pt": 8.0}, 360.0, 2.0)
    assert (slide.text_pt, slide.row_mm, slide.width_mm) == (16.0, 2 * Style().row_mm, 360.0)
    assert slide.leading == Style().leading


def test_nothing_in_greyscale_has_a_hue():
    style = styled(LOOKS["greyscale"].fields, 180.0)
    colours = [v for v in vars(style).values() if isinstance(v, str)]
    assert [c for c in colours if len({c[1:3], c[3:5], c[5:7]}) > 1] == []


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for name in ("one", "two"):
        save_page(PAGE, folder / name, ("eps", "tiff"), 600)
    return folder


def test_journal_formats_have_the_same_bytes_every_time(files):
    for kind in ("eps", "tiff"):
        assert (files / f"one.{kind}").read_bytes() == (files / f"two.{kind}").read_bytes()


def test_tiff_is_opaque_compressed_and_as_fine_as_asked(files):
    with Image.open(files / "one.tiff") as image:
        assert (image.mode, image.info["compression"]) == ("RGB", "tiff_lzw")
        assert tuple(map(float, image.info["dpi"])) == (600.0, 600.0)
        # 50.8 by 25.4 mm
        assert image.size == (1200, 600)


def test_eps_embeds_its_fonts_and_has_the_size_of_the_page(files):
    text = (files / "one.eps").read_bytes().decode("latin-1")
    assert text.startswith("%!PS-Adobe-3.0 EPSF-3.0")
    assert "%%BoundingBox: 0 0 144 72" in text
    assert "CreationDate" not in text
    assert text.count("/FontType 42 def") == 2
    # TrueType tables are embedded under the name that the font file gives itself
    assert "/sfnts" in text
    name = TTFont(FONTS / "FigureSans-Regular.ttf")["name"].getDebugName(6)
    assert f"/FontName /{name}-0 def" in text
