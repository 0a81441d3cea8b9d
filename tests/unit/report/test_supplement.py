"""The forest plots of the supplement: each with its own text, complete, and readable."""

import io

import pandas as pd
import pytest
from docx import Document
from PIL import Image
from report_material import material
from trial_evidence.files import write_table
from trial_evidence.report.files.supplement import supplement

# Name, colour, width and height in pixels; the second is taller than a page.
DRAWN = {
    "a/forest": ("#8CC28C", (2400, 1600)),
    "a/forest_odds_ratio": ("#C4302B", (2400, 5000)),
    "a/funnel": ("#000000", (90, 60)),
}


@pytest.fixture(scope="module")
def found(pooled, tmp_path_factory):
    """The material with these figures in every setting."""
    made = material(pooled, tmp_path_factory.mktemp("supplement"))
    for setting in made.configuration.settings:
        (made.results / setting / "a").mkdir(parents=True)
        for figure, (colour, size) in DRAWN.items():
            Image.new("RGB", size, colour).save(made.results / setting / f"{figure}.png")
        rows = [(setting, figure, f"Title of {figure}", f"{figure} in words") for figure in DRAWN]
        columns = ["setting", "figure", "title", "description"]
        write_table(made.results / setting / "figures.csv", pd.DataFrame(rows, columns=columns))
    return made


@pytest.fixture(scope="module")
def document(found):
    return Document(io.BytesIO(supplement(found, [])))


def test_every_forest_plot_stands_under_its_setting_and_title(found, document):
    expected = [
        f"{title}: Title of {name}"
        for title in found.configuration.settings.values()
        for name in ("a/forest", "a/forest_odds_ratio")
    ]
    captions = [p.text for p in document.paragraphs if p.text.startswith("Figure")]
    assert captions == [f"Figure S{at}. {text}" for at, text in enumerate(expected, start=1)]


def test_a_figure_without_png_is_in_words(pooled, tmp_path):
    """Without PNG files the supplement once ended before its figures, and did not say so."""
    made = material(pooled, tmp_path)
    row = {"figure": "a/forest", "title": "Response", "description": "Favours two agents."}
    for setting in made.configuration.settings:
        figures = pd.DataFrame([row | {"setting": setting}])
        write_table(made.results / setting / "figures.csv", figures)
    document = Document(io.BytesIO(supplement(made, [])))
    (at,) = [n for n, p in enumerate(document.paragraphs) if p.text.startswith("Figure S1. ")]
    assert document.paragraphs[at + 1].text == (
        "Not shown, because the figures were made without PNG files; "
        f"drawn in {next(iter(made.configuration.settings))}/a/forest.svg. Favours two agents."
    )


def test_each_picture_is_that_of_its_caption(document):
    red = []
    for shape in document.inline_shapes:
        blip = shape._inline.graphic.graphicData.pic.blipFill.blip.embed
        with Image.open(io.BytesIO(document.part.related_parts[blip].blob)) as image:
            red.append(image.convert("RGB").getpixel((9, 9)) == (0xC4, 0x30, 0x2B))
            # Dots per inch, as required by journals.
            assert image.width / shape.width.inches >= 200
        described = "a/forest_odds_ratio" if red[-1] else "a/forest"
        assert shape._inline.docPr.get("descr") == f"{described} in words"
    assert red == [False, True] * (len(red) // 2)


def test_a_picture_fits_its_page_and_keeps_its_shape(document):
    """A portrait page of 210 by 297 mm with margins of 18 mm, and room for the caption."""
    for shape, drawn in zip(document.inline_shapes, [1600, 5000] * 4, strict=True):
        assert shape.width.mm <= 174.1
        assert shape.height.mm <= 240
        assert shape.height.mm / shape.width.mm == pytest.approx(drawn / 2400, rel=2e-3)
