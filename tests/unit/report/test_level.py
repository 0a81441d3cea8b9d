"""With another confidence level, no text for readers says 95%."""

import re
from dataclasses import replace

import pytest
from figures.svg_reading import read_svg
from invented import ROOT
from report_material import material
from small_project import evidence_of, small_project
from trial_evidence.config.looks import read_figure_configuration
from trial_evidence.config.networks import read_networks
from trial_evidence.figures.canvas.page import Page, save_page
from trial_evidence.figures.canvas.style import Style
from trial_evidence.report.files.styled_figures import styled_pages

LOOKS = read_figure_configuration(ROOT / "config")
# p-value functions mark several levels
OWN_LEVELS = ("drapery",)
NINETY_FIVE = re.compile(r"95 ?%")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Every figure of the made-up project, with all intervals at 90%."""
    folder = small_project(tmp_path_factory.mktemp("level"))
    path = folder / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "confidence_level: 95" in text
    path.write_text(text.replace("confidence_level: 95", "confidence_level: 90"), encoding="utf-8")
    found = material(evidence_of(folder), folder / "results")
    assert found.configuration.confidence_level == 90.0
    networks = read_networks(folder / "config", found.configuration)
    found = replace(found, networks=networks)
    return styled_pages(found, LOOKS, Style(), folder / "data/processed", {})


def texts(picture, folder):
    """All texts of a figure; a chart is drawn to collect them."""
    if isinstance(picture, Page):
        shown = [text.text for text in picture.texts]
    else:
        save_page(picture, folder / "chart", ("svg",))
        shown = [word.text for word in read_svg(folder / "chart.svg").words]
    return [picture.title, picture.description, *shown]


def test_no_figure_says_another_level(pages, tmp_path):
    # One figure of every kind; variants by measure or factor print the same texts.
    kinds = {stem.split("/")[-1]: stem for stem in pages}
    found = {
        stem: said
        for kind, stem in kinds.items()
        for picture in [pages[stem]]
        if kind not in OWN_LEVELS
        for said in [
            text
            for text in texts(picture, tmp_path)
            # published intervals are shown at their own level, and marked
            if NINETY_FIVE.search(text) and not text.endswith("as published.")
        ]
        if said
    }
    assert found == {}


def test_the_level_is_said(pages, tmp_path):
    forests = [stem for stem in pages if "/forest" in stem and not stem.startswith("overview/")]
    assert forests
    for stem in forests:
        # headings of networks also cover credible intervals: "90% interval"
        said = texts(pages[stem], tmp_path)
        assert any("90% CI" in text or "90% interval" in text for text in said), stem
