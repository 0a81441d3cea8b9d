"""All figures redrawn in the style of a journal or a slide."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from trial_evidence.config.looks import FigureConfiguration, FigureStyle
from trial_evidence.figures.canvas.page import Format, Picture, Pointed
from trial_evidence.figures.canvas.publishing import LISTING, caption, publish
from trial_evidence.figures.canvas.style import Style, styled
from trial_evidence.figures.forests.forest import Forest
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.stage import setting_forests
from trial_evidence.files import read_table, records_there, write_table, write_text
from trial_evidence.kept import Parts
from trial_evidence.network.stage import FOLDER as NETWORK_FOLDER
from trial_evidence.network.stage import examined_networks
from trial_evidence.report.files.overview_figures import FOLDER, overview_pages
from trial_evidence.report.material.material import Material
from trial_evidence.report.tables.certainty import Certainties
from trial_evidence.report.words.citations import reference
from trial_evidence.sensitivity.comparison import comparisons, pooled_analyses
from trial_evidence.sensitivity.specifications import MULTIVERSE_NUMBERS
from trial_evidence.sensitivity.stage import FOLDER as SENSITIVITY_FOLDER
from trial_evidence.sensitivity.stage import analysis_pages
from trial_evidence.words.errors import RequestError
from trial_evidence.words.problems import did_you_mean

# The numbered references cited next to trial names.
REFERENCES = "references.txt"
# Columns of the list of figures, besides the name.
WORDS = ("title", "text", "caption")
Forests = Mapping[str, Mapping[str, Forest]]


def figure_name(stem: str) -> str:
    """Name of a figure without its folders."""
    return stem.rpartition("/")[2]


def choose_style(looks: FigureConfiguration, name: str, width: str = "") -> FigureStyle:
    """The style of a name, with the requested width as its only one.

    Parameters
    ----------
    name : str
        As in config/styles.yaml.
    width : str
        One of the style's widths in mm, as the user typed it; if empty, its first.

    Raises
    ------
    RequestError
        If the style or the width does not exist; the message lists those that do.
    """
    found = looks.styles.get(name)
    if found is None:
        raise RequestError(
            f'"{name}" is not a style of config/styles.yaml. Allowed: {", ".join(looks.styles)}.'
            f"{did_you_mean(name, list(looks.styles))}"
        )
    typed = width.strip().lower().removesuffix("mm").strip()
    widths = {f"{own:g}": own for own in found.widths_mm}
    if typed and typed not in widths:
        raise RequestError(
            f'"{width}" is not a width of style "{name}". Allowed, in mm: {", ".join(widths)}.'
        )
    return replace(found, widths_mm=(widths.get(typed, found.widths_mm[0]),))


def write_styled_figures(
    material: Material,
    looks: FigureConfiguration,
    look: FigureStyle,
    processed: Path,
    certainty: Certainties,
    analysis: str = "",
    figure: str = "",
    processes: int = 1,
) -> Path:
    """Draw the figures of all settings in one style.

    Parameters
    ----------
    looks : FigureConfiguration
        Holds the words of every language.
    look : FigureStyle
        Returned by `choose_style`.
    processed : Path
        Outputs of the extract stage.
    certainty : mapping
        (setting, analysis) -> certainty in words, for the figure of the answers.
    analysis : str
        Draw only the figures of this analysis, in every setting that has it, and leave the others
        as they are; if empty, draw all.
    figure : str
        Draw only the figures of this name, such as ``forest``; if empty, all.
    processes : int
        Number of processes that draw.

    Returns
    -------
    Path
        ``results/figures-<style>/<width>mm`` with ``<setting>/<analysis>/<figure>``,
        ``<setting>/network/<id>/<figure>`` and ``overview/<figure>`` as below results, and
        ``figures.csv`` with alt texts and captions (the text for a legend if the figure has no
        footnotes). If the style cites references by number, ``references.txt`` lists them. The
        ordinary figures are left as they are.

    Raises
    ------
    RequestError
        If the analysis has no figures, or no figure has the name.
    """
    style = styled(look.fields, look.widths_mm[0], look.magnification)
    pages = styled_pages(material, looks, style, processed, certainty, analysis)
    drawn = {stem: page for stem, page in pages.items() if figure in ("", figure_name(stem))}
    if not drawn:
        asked = figure if pages else analysis
        known = list(dict.fromkeys(map(figure_name, pages))) or sorted(_owners(material))
        of = f" for {analysis}" if pages and analysis else ""
        raise RequestError(
            f'There are no figures of "{asked}"{of}. Known: {", ".join(known)}.'
            f"{did_you_mean(asked, known)}"
        )
    if look.height_mm is not None:
        drawn = {stem: page.fitted(look.height_mm) for stem, page in drawn.items()}
    folder = material.results / f"figures-{look.name}" / f"{look.widths_mm[0]:g}mm"
    if style.decimal_mark != ".":
        drawn = {stem: Pointed(page, style.decimal_mark) for stem, page in drawn.items()}
    if style.references:
        write_text(folder / REFERENCES, _references(material, _forests(material, looks, processed)))
    # If all figures are drawn, files left by an earlier run are removed.
    own = () if analysis or figure else tuple(f"**/*.{suffix}" for suffix in get_args(Format))
    publish(drawn, folder, look.formats, processes, dpi=look.dpi, own=own, kept=(REFERENCES,))
    _write_listing(folder, drawn, look.formats)
    return folder


def _write_listing(folder: Path, drawn: Mapping[str, Picture], formats: Sequence[str]) -> None:
    """List alt texts and captions of the figures drawn now and of earlier ones still there."""
    path = folder / LISTING
    earlier = records_there(path)
    texts = {row["figure"]: tuple(row.get(word, "") for word in WORDS) for row in earlier}
    texts |= {stem: (page.title, page.description, caption(page)) for stem, page in drawn.items()}
    rows = [
        (stem, *words)
        for stem, words in texts.items()
        if all((folder / f"{stem}.{kind}").is_file() for kind in formats)
    ]
    write_table(path, pd.DataFrame(rows, columns=["figure", *WORDS]))


def styled_pages(
    material: Material,
    looks: FigureConfiguration,
    style: Style,
    processed: Path,
    certainty: Certainties,
    analysis: str = "",
) -> dict[str, Picture]:
    """Every figure by its path below the folder: forest plots, sensitivity, networks, overview.

    Specification curves are drawn from their table, not computed again. If an `analysis` (or a
    network, or ``overview``) is named, only its figures are drawn.
    """
    configuration, sheet = material.configuration, material.sheet
    # A harm has no figure of its own: it is in that of all harms of its setting.
    folders = {entry.folder for entry in configuration.analyses if entry.id == analysis}
    wanted = {analysis, *folders} if analysis else _owners(material)
    forests_of = _forests(material, looks, processed)
    numbers = reference_numbers(forests_of)
    trials = material.evidence.trials
    pages: dict[str, Picture] = {}
    for setting in configuration.settings:
        compared = comparisons(configuration, setting, trials[trials["setting"] == setting])
        table = material.results / setting / SENSITIVITY_FOLDER / "multiverse.csv"
        curves: dict[Any, pd.DataFrame] = {}
        if table.is_file():
            specifications = read_table(table, MULTIVERSE_NUMBERS)
            curves = dict(iter(specifications.groupby("analysis", sort=False)))
        own: dict[str, Picture] = {
            stem: layout(replace(forest, numbers=numbers), style)
            for stem, forest in forests_of[setting].items()
            if stem.partition("/")[0] in wanted
        }
        for entry in pooled_analyses(configuration, setting):
            if entry.id not in wanted:
                continue
            curve = curves.get(entry.id)
            drawn = analysis_pages(entry, compared, curve, sheet, configuration, style)
            own |= {f"{entry.id}/{name}": page for name, page in drawn.items()}
        if wanted & _network_ids(material):
            asked = configuration, material.networks, sheet, setting, style, Parts()
            networks = examined_networks(*asked).pages
            own |= {
                f"{NETWORK_FOLDER}/{stem}": page
                for stem, page in networks.items()
                if stem.partition("/")[0] in wanted
            }
        pages |= {f"{setting}/{stem}": page for stem, page in own.items()}
    if FOLDER not in wanted:
        return pages
    over_all = overview_pages(material, certainty, style)
    return pages | {f"{FOLDER}/{name}": page for name, (_, page) in over_all.items()}


def _owners(material: Material) -> set[str]:
    """Every name by which figures can be requested: analyses, folders, networks, overview."""
    analyses, rates = material.configuration.analyses, material.configuration.rates
    folders = (analysis.folder for analysis in analyses)
    return {FOLDER, *folders, *(entry.id for entry in (*analyses, *rates)), *_network_ids(material)}


def _network_ids(material: Material) -> set[str]:
    networks = {network.id for network in material.networks.networks}
    return networks | {entry.id for entry in material.networks.surrogacy}


def reference_numbers(forests_of: Forests) -> dict[str, int]:
    """Source id -> its number, in order of appearance in the forest plots."""
    found = (
        source
        for forests in forests_of.values()
        for forest in forests.values()
        for row in forest.rows
        for source in row.sources
    )
    return {source: number for number, source in enumerate(dict.fromkeys(found), start=1)}


def _forests(material: Material, looks: FigureConfiguration, processed: Path) -> Forests:
    """The forest plots of every setting."""
    folders, unlike = (processed, material.results), material.networks.own_nodes
    return {
        setting: setting_forests(
            material.configuration, looks, material.sheet, setting, *folders, unlike
        )
        for setting in material.configuration.settings
    }


def _references(material: Material, forests_of: Forests) -> str:
    """The numbered sources of the forest plots, one per line."""
    numbers = reference_numbers(forests_of)
    return "".join(
        f"{number}. {reference(material.sources[key])}\n" for key, number in numbers.items()
    )
