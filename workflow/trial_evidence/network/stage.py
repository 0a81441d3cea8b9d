"""The network stage: networks of regimens of one setting, synergy and surrogacy."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.pages import listing_of, save_pages
from trial_evidence.figures.canvas.style import Style, style_for
from trial_evidence.files import write_table
from trial_evidence.network.analysis import NetworkAnalysis, analyse
from trial_evidence.network.evidence.rows import network_evidence
from trial_evidence.network.pictures.drawings import network_drawings
from trial_evidence.network.pictures.trial_level_drawings import surrogacy_drawing, synergy_drawings
from trial_evidence.network.tables import network_tables
from trial_evidence.network.within_trials.trial_level import (
    SurrogacyResults,
    SynergyResults,
    cautions_table,
    not_factorial_table,
    surrogacy_results,
    surrogacy_table,
    synergy_results,
    synergy_table,
)
from trial_evidence.sheet import Sheet

FOLDER = "network"


def write_network(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    results: Path,
    processes: int = 1,
) -> None:
    """Write every table and figure of the networks of a setting.

    Parameters
    ----------
    configuration : Configuration
    networks : NetworkConfiguration
    sheet : Sheet
    setting : str
    results : Path
        Tables and figures go to ``<setting>/network/<id>/``, and ``<setting>/network/figures.csv``
        lists the figures. What an earlier run wrote there and this one does not is removed.
    processes : int
        To draw with.
    """
    folder = results / setting / FOLDER
    analyses, synergy, surrogacy = _findings(configuration, networks, sheet, setting)
    tables = _tables(analyses, synergy, surrogacy, configuration.settings[setting])
    style = style_for(configuration.figure_width_mm)
    pages = _pages(analyses, synergy, surrogacy, configuration, style)
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    save_pages(pages, folder, configuration.figure_formats, processes)
    _remove_others(folder, tables, pages, configuration)
    write_table(folder / "figures.csv", listing_of(setting, pages))


def network_pages(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    style: Style,
) -> dict[str, Picture]:
    """Every figure of the networks of a setting.

    Parameters
    ----------
    configuration : Configuration
    networks : NetworkConfiguration
    sheet : Sheet
    setting : str
    style : Style

    Returns
    -------
    dict
        Pages by ``<id>/<name>``.
    """
    return _pages(*_findings(configuration, networks, sheet, setting), configuration, style)


def _findings(
    configuration: Configuration, networks: NetworkConfiguration, sheet: Sheet, setting: str
) -> tuple[dict[str, NetworkAnalysis], list[SynergyResults], list[SurrogacyResults]]:
    analyses = {
        network.id: analyse(
            network_evidence(sheet, configuration, networks, network), configuration
        )
        for network in networks.of_setting(setting)
    }
    synergy = [
        synergy_results(entry, analyses[entry.network].evidence, configuration)
        for entry in networks.synergy
        if entry.setting == setting
    ]
    surrogacy = [
        surrogacy_results(
            entry,
            analyses[entry.surrogate].evidence,
            analyses[entry.endpoint].evidence,
            configuration.confidence_level,
        )
        for entry in networks.surrogacy
        if entry.setting == setting
    ]
    return analyses, synergy, surrogacy


def _tables(
    analyses: Mapping[str, NetworkAnalysis],
    synergy: list[SynergyResults],
    surrogacy: list[SurrogacyResults],
    line: str,
) -> dict[str, pd.DataFrame]:
    """Tables by ``<id>/<name>``."""
    tables = {
        f"{name}/{table}": content
        for name, analysis in analyses.items()
        for table, content in network_tables(analysis, line).items()
    }
    for shown in synergy:
        tables[f"{shown.analysis.network}/synergy"] = synergy_table(shown)
        tables[f"{shown.analysis.network}/synergy_set_aside"] = not_factorial_table(shown)
    for found in surrogacy:
        tables[f"{found.analysis.id}/trials"] = found.table
        tables[f"{found.analysis.id}/models"] = surrogacy_table(found)
        tables[f"{found.analysis.id}/cautions"] = cautions_table(found)
    return tables


def _pages(
    analyses: Mapping[str, NetworkAnalysis],
    synergy: list[SynergyResults],
    surrogacy: list[SurrogacyResults],
    configuration: Configuration,
    style: Style,
) -> dict[str, Picture]:
    """Pages by ``<id>/<name>``."""
    pages: dict[str, Picture] = {
        f"{name}/{drawing.name}": drawing.page
        for name, analysis in analyses.items()
        for drawing in network_drawings(analysis, style)
    }
    for shown in synergy:
        for drawing in synergy_drawings(shown, configuration, style):
            pages[f"{shown.analysis.network}/{drawing.name}"] = drawing.page
    for found in surrogacy:
        plot = surrogacy_drawing(found, configuration.confidence_level, style)
        if plot is not None:
            pages[f"{found.analysis.id}/{plot.name}"] = plot.page
    return pages


def _remove_others(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    pages: Mapping[str, Picture],
    configuration: Configuration,
) -> None:
    kept = {folder / f"{name}.csv" for name in tables}
    kept |= {folder / f"{stem}.{kind}" for stem in pages for kind in configuration.figure_formats}
    for path in sorted(folder.glob("*/*")):
        if path not in kept and path.is_file():
            path.unlink()
    for left in sorted(folder.glob("*/")):
        if not any(left.iterdir()):
            left.rmdir()
