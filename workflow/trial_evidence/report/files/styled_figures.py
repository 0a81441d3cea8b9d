"""Every figure again in the look that a journal or a slide asks for."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from trial_evidence.config.looks import FigureConfiguration, FigureStyle
from trial_evidence.figures.canvas.page import Page, fitted, save_page
from trial_evidence.figures.canvas.style import Style, styled
from trial_evidence.figures.forests.forest import layout
from trial_evidence.figures.stage import setting_figures
from trial_evidence.files import read_table, write_table
from trial_evidence.network.stage import FOLDER as NETWORK_FOLDER
from trial_evidence.network.stage import network_pages
from trial_evidence.report.files.overview_figures import FOLDER, Certainties, overview_pages
from trial_evidence.report.material.material import Material
from trial_evidence.sensitivity.comparison import comparisons
from trial_evidence.sensitivity.specifications import MULTIVERSE_COLUMNS, MULTIVERSE_NUMBERS
from trial_evidence.sensitivity.stage import FOLDER as SENSITIVITY_FOLDER
from trial_evidence.sensitivity.stage import sensitivity_pages
from trial_evidence.sheet import did_you_mean
from trial_evidence.words.errors import RequestError

LISTING_COLUMNS = ["figure", "title", "text"]


@dataclass(frozen=True)
class StyledPage:
    """A page and where it goes, below the folder of its look, without suffix."""

    stem: str
    page: Page

    @property
    def analysis(self) -> str:
        """The analysis or network it belongs to; ``overview`` for those over all settings."""
        folders = self.stem.split("/")[:-1]
        own = [folder for folder in folders[1:] if folder != NETWORK_FOLDER]
        return own[0] if own else folders[0]


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
    return replace(found, widths_mm=(width,))


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
        ``results/figures-<style>/<width>mm`` with ``<setting>/<analysis>/<figure>``,
        ``<setting>/network/<id>/<figure>`` and ``overview/<figure>`` as below results, and
        ``figures.csv``, which says in words what every figure there shows. The ordinary figures
        are left as they are.

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
    """Every figure: forest plots, sensitivity, networks, and the overview.

    The specification curves are drawn from the table of the specifications, which are not
    computed again.
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
        found = network_pages(configuration, material.networks, sheet, setting, style)
        pages += [
            StyledPage(f"{setting}/{NETWORK_FOLDER}/{stem}", page) for stem, page in found.items()
        ]
    for name, (_, page) in overview_pages(material, certainty, style).items():
        pages.append(StyledPage(f"{FOLDER}/{name}", page))
    return pages


def _sensitivity_pages(material: Material, setting: str, style: Style) -> list[StyledPage]:
    configuration = material.configuration
    trials = material.evidence.trials
    found = comparisons(configuration, setting, trials[trials["setting"] == setting])
    table = material.results / setting / SENSITIVITY_FOLDER / "multiverse.csv"
    specifications = (
        read_table(table, MULTIVERSE_NUMBERS)
        if table.is_file()
        else pd.DataFrame(columns=MULTIVERSE_COLUMNS)
    )
    pages = sensitivity_pages(configuration, found, specifications, material.sheet, setting, style)
    return [StyledPage(f"{setting}/{stem}", page) for stem, page in pages.items()]


def _draw(found: StyledPage, folder: Path, look: FigureStyle) -> None:
    save_page(found.page, folder / found.stem, look.formats, look.dpi)
