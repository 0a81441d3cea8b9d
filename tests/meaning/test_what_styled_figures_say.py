"""Figures in the look of a journal or for a slide: the same figures, in a look of their own."""

import re
from dataclasses import replace

import pytest
from figures.svg_reading import read_svg
from made_up.project import ROOT
from meaning.evidence import rows
from PIL import Image
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.config.reports import read_report_configuration
from trial_evidence.figures.canvas.publishing import caption
from trial_evidence.figures.canvas.style import Style
from trial_evidence.loaded import load
from trial_evidence.report.files.styled_figures import (
    choose_style,
    styled_pages,
    write_styled_figures,
)
from trial_evidence.report.material.material import read_material
from trial_evidence.report.tables.certainty import certainties, certainty_words

pytestmark = pytest.mark.long

MM = 72 / 25.4
LOOKS = read_figure_configuration(ROOT / "config")


@pytest.fixture(scope="module")
def project(made_up, tmp_path_factory):
    """What figures are drawn from, and their looks; what is drawn goes into a folder of its own."""
    raw, config = made_up.folder / "data/raw", made_up.folder / "config"
    results = tmp_path_factory.mktemp("styled")
    for part in made_up.results.iterdir():
        if not part.name.startswith("figures-"):
            (results / part.name).symlink_to(part)
    configuration, sheet, _ = load(raw, config)
    report = read_report_configuration(config, configuration)
    networks = read_networks(config, configuration)
    processed = made_up.folder / "data/processed"
    found = read_material(configuration, report, sheet, processed, results, networks)
    return found, read_figure_configuration(config), processed


def draw(project, look, analysis="overview", figure="flow", kind="svg", **fields):
    """The figures of a look as `make figures` draws them: their folder."""
    material, looks, processed = project
    look = replace(look, formats=(kind,), fields={**look.fields, **fields})
    return write_styled_figures(material, looks, look, processed, {}, analysis, figure)


@pytest.mark.parametrize("analysis", ["progression_free_dual_v_single", "overview"])
def test_a_figure_in_a_look_says_what_the_ordinary_one_of_its_setting_says(project, analysis):
    material, looks, processed = project
    certainty = certainty_words(certainties(material))
    pages = styled_pages(material, looks, Style(), processed, certainty, analysis)
    texts = {row["figure"]: row for row in rows(material.results / "alt-texts.csv")}
    assert set(pages) == {name for name in texts if analysis in name.split("/")}
    for name, page in pages.items():
        said = page.title, page.description, caption(page)
        assert said == tuple(texts[name][word] for word in ("title", "text", "caption")), name


def test_a_harm_is_drawn_with_the_others_of_its_setting(project):
    """It has no figure of its own, and a list of what can be drawn names it."""
    material, _, _ = project
    harm = next(entry for entry in material.configuration.analyses if entry.harm)
    place = draw(project, choose_style(LOOKS, "greyscale", "120"), harm.id, "forest")
    drawing = read_svg(place / harm.setting / "harms/forest.svg")
    assert harm.labels[0] in {word.text for word in drawing.words}


def test_a_look_without_a_width_has_its_first_one_and_its_own_colours(project):
    place = draw(project, choose_style(LOOKS, "lancet"), figure="risk_of_bias_bars")
    assert place.name == "180mm"
    drawing = read_svg(place / "overview/risk_of_bias_bars.svg")
    assert drawing.width == pytest.approx(180 * MM, abs=0.1)
    fills = {shape.fill for shape in drawing.shapes}
    own = {"low_risk": "#7fc97a", "some_concerns": "#f5dc7a"}
    assert fills >= {*own.values()}
    assert not fills & {getattr(Style(), name).lower() for name in own}


def test_a_slide_has_the_format_of_a_screen_and_larger_type(project):
    place = draw(project, choose_style(LOOKS, "slide"))
    drawing = read_svg(place / "overview/flow.svg")
    assert (drawing.width, drawing.height) == pytest.approx((338.67 * MM, 190.5 * MM), abs=0.1)
    assert drawing.word("From the search to the synthesis").size == pytest.approx(1.5 * 9)


def test_pixels_are_as_fine_as_the_look_asks_for(project):
    look = replace(choose_style(LOOKS, "default", "85"), dpi=100)
    with Image.open(draw(project, look, kind="png") / "overview/flow.png") as image:
        assert image.width == pytest.approx(100 * 85 / 25.4, abs=1)


def test_one_figure_drawn_again_leaves_the_others_of_its_look_where_they_were(project):
    look = choose_style(LOOKS, "greyscale", "85")
    place = draw(project, look)
    assert draw(project, look, figure="timeline") == place
    assert {path.name for path in place.rglob("*.svg")} == {"flow.svg", "timeline.svg"}
    listed = rows(place / "figures.csv")
    assert {row["figure"] for row in listed} == {"overview/flow", "overview/timeline"}
    for row in listed:
        drawing = read_svg(place / f"{row['figure']}.svg")
        assert (row["title"], row["text"]) == (drawing.title, drawing.description)
        # The caption is what stands under the figure, and no description for who cannot see it.
        assert row["caption"].startswith(row["title"])
        assert row["caption"] != row["text"]


def test_the_number_behind_a_trial_is_that_of_its_source_in_the_list(project, made_up):
    look = choose_style(LOOKS, "bmj", "180")
    place = draw(project, look, "pcr_dual_v_almab", "forest")
    printed = (place / "references.txt").read_text(encoding="utf-8").splitlines()
    listed = dict(line.split(". ", 1) for line in printed)
    sources = {row["source_id"]: row for row in rows(made_up.folder / "data/raw/sources.csv")}
    drawing = read_svg(place / "neoadjuvant/pcr_dual_v_almab/forest.svg")
    words = {word.text for word in drawing.words}
    used = rows(
        made_up.results / "neoadjuvant/trials.csv",
        analysis="pcr_dual_v_almab", measure="risk_ratio", subgroup="all",
    )  # fmt: skip
    for row in used:
        label = f"{row['trial']} ({float(row['year']):.0f})"
        (numbers,) = (re.findall(r"\d+", word.removeprefix(label)) for word in words
                      if word.startswith(label))  # fmt: skip
        authors = [sources[key]["first_author"] for key in row["source_id"].split(" / ")]
        assert [listed[number].split(",")[0] for number in numbers] == authors, label
