"""Every figure again in the look that a journal or a slide asks for."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from trial_evidence.errors import RequestError
from trial_evidence.figure_configuration import FigureConfiguration, FigureStyle
from trial_evidence.figures.forest import layout
from trial_evidence.figures.page import Page, fitted, save_page
from trial_evidence.figures.stage import setting_figures
from trial_evidence.figures.style import Style, styled
from trial_evidence.files import write_table
from trial_evidence.report.material import Material
from trial_evidence.report.overview_figures import FOLDER, Certainties, overview_pages
from trial_evidence.sensitivity.comparison import comparisons
from trial_evidence.sensitivity.drawings import bubble_drawings, comparison_drawings
from trial_evidence.sheet import did_you_mean

LISTING_COLUMNS = ["figure", "title", "text"]


@dataclass(frozen=True)
class StyledPage:
    """A page and where it goes, below the folder of its look, without suffix."""

    stem: str
    page: Page

    @property
    def analysis(self) -> str:
        """The analysis it belongs to; ``overview`` for the figures over all settings."""
        parts = self.stem.split("/")
        return parts[0] if len(parts) == 2 else parts[1]


def choose_style(looks: FigureConfiguration, name: str, width_mm: float | None) -> FigureStyle:
    """The look of a name, with the width to draw it at as its only one.

    Parameters
    ----------
    looks : FigureConfiguration
    name : str
        As in config/styles.yaml.
    width_mm : float or None
        One of the look's widths; None for its first.

    Returns
    -------
    FigureStyle

    Raises
    ------
    RequestError
        If there is no such look, or it has no such width; the message says what there is.
    """
    found = looks.styles.get(name)
    if found is None:
        raise RequestError(
            f'"{name}" is not a style of config/styles.yaml. Allowed: {", ".join(looks.styles)}.'
            f"{did_you_mean(name, list(looks.styles))}"
        )
    width = found.widths_mm[0] if width_mm is None else width_mm
    if width not in found.widths_mm:
        allowed = ", ".join(f"{own:g}" for own in found.widths_mm)
        raise RequestError(f'Style "{name}" has no width of {width:g} mm. Allowed: {allowed}.')
    return FigureStyle(
        found.name, found.description, (width,), found.height_mm, found.magnification,
        found.formats, found.dpi, found.fields,
    )  # fmt: skip


def write_styled_figures(
    material: Material,
    looks: FigureConfiguration,
    look: FigureStyle,
    processed: Path,
    certainty: Certainties,
    analysis: str = "",
    processes: int = 1,
) -> Path:
    """Draw the figures of all settings in one look.

    Parameters
    ----------
    material : Material
    looks : FigureConfiguration
        For the words of every language.
    look : FigureStyle
        As from `choose_style`.
    processed : Path
        What the extract stage wrote.
    certainty : mapping
        (setting, analysis) -> certainty in words, for the picture of the answers.
    analysis : str
        Draw the figures of this analysis only, in every setting that has it, and leave the
        others; all where it is empty.
    processes : int
        To draw with.

    Returns
    -------
    Path
        ``results/figures-<style>/<width>mm`` with ``<setting>/<analysis>/<figure>`` as below
        results, ``overview/<figure>``, and ``figures.csv``, which says in words what every figure
        there shows. The ordinary figures are left as they are.

    Raises
    ------
    RequestError
        If no figure belongs to the analysis.
    """
    style = styled(look.fields, look.widths_mm[0], look.magnification)
    pages = styled_pages(material, looks, style, processed, certainty)
    if look.height_mm is not None:
        pages = [StyledPage(found.stem, fitted(found.page, look.height_mm)) for found in pages]
    folder = material.results / f"figures-{look.name}" / f"{look.widths_mm[0]:g}mm"
    wanted = [found for found in pages if not analysis or found.analysis == analysis]
    if not wanted:
        known = dict.fromkeys(found.analysis for found in pages)
        raise RequestError(f'"{analysis}" has no figures. Those of: {", ".join(known)}.')
    draw = partial(_draw, folder=folder, look=look)
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            list(pool.map(draw, wanted))
    else:
        for found in wanted:
            draw(found)
    files = {folder / f"{found.stem}.{kind}": found for found in pages for kind in look.formats}
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in files]:
        path.unlink()
    there = {found.stem: found.page for path, found in files.items() if path.is_file()}
    listing = [(stem, page.title, page.description) for stem, page in there.items()]
    write_table(folder / "figures.csv", pd.DataFrame(listing, columns=LISTING_COLUMNS))
    return folder


def styled_pages(
    material: Material,
    looks: FigureConfiguration,
    style: Style,
    processed: Path,
    certainty: Certainties,
) -> list[StyledPage]:
    """Forest plots, sensitivity figures but the specification curves, and the overview.

    The specification curves would need every specification to be computed again.
    """
    configuration, sheet = material.configuration, material.sheet
    pages: list[StyledPage] = []
    for setting in configuration.settings:
        for figure in setting_figures(
            configuration, looks, sheet, setting, processed, material.results
        ):
            stem = f"{setting}/{figure.stem}"
            pages.append(StyledPage(stem, layout(figure.forest, style)))
        pages += _sensitivity_pages(material, setting, style)
    for name, (_, page) in overview_pages(material, certainty, style).items():
        pages.append(StyledPage(f"{FOLDER}/{name}", page))
    return pages


def _sensitivity_pages(material: Material, setting: str, style: Style) -> Sequence[StyledPage]:
    configuration = material.configuration
    trials = material.evidence.trials
    own = trials[trials["setting"] == setting]
    pages = []
    for c in comparisons(configuration, setting, own):
        if c.measure != c.analysis.measures[0]:
            continue
        drawings = [
            *comparison_drawings(c, configuration.sensitivity, style),
            *bubble_drawings(c, material.sheet, configuration.sensitivity, style),
        ]
        pages += [
            StyledPage(f"{setting}/{c.analysis.id}/{drawing.name}", drawing.page)
            for drawing in drawings
        ]
    return pages


def _draw(found: StyledPage, folder: Path, look: FigureStyle) -> None:
    save_page(found.page, folder / found.stem, look.formats, look.dpi)
