"""The network stage: networks of regimens of one setting, synergy and surrogacy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.extract.context import setting_context
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.publishing import LISTING, listing_of, publish
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


@dataclass(frozen=True)
class NetworkFindings:
    """All that is computed of the networks of a setting, networks by id."""

    analyses: dict[str, NetworkAnalysis]
    synergy: list[SynergyResults]
    surrogacy: list[SurrogacyResults]


def write_network(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    results: Path,
    processes: int = 1,
) -> None:
    """Write every table and figure of the networks of a setting.

    Tables and figures go to ``<setting>/network/<id>/``, and ``<setting>/network/figures.csv``
    lists the figures. What an earlier run wrote there and this one does not is removed.
    """
    folder = results / setting / FOLDER
    found = network_findings(configuration, networks, sheet, setting)
    tables = dict(tables_of(found, configuration.settings[setting]))
    style = style_for(configuration.figure_width_mm)
    pages = dict(_pages(found, configuration, style))
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    kept = [f"{name}.csv" for name in tables]
    publish(pages, folder, configuration.figure_formats, processes, own=("*/*",), kept=kept)
    listed = {(setting, *stem.split("/")): page for stem, page in pages.items()}
    write_table(folder / LISTING, listing_of(listed))


def network_pages(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    style: Style,
) -> dict[str, Picture]:
    """Every figure of the networks of a setting, by ``<id>/<name>``."""
    found = network_findings(configuration, networks, sheet, setting)
    return dict(_pages(found, configuration, style))


def network_findings(
    configuration: Configuration, networks: NetworkConfiguration, sheet: Sheet, setting: str
) -> NetworkFindings:
    """Analyse the networks of a setting, and what its trials say of synergy and surrogacy."""
    context = setting_context(sheet, configuration, setting)
    evidence = {
        network.id: network_evidence(sheet, configuration, networks, network, context)
        for network in networks.of_setting(setting)
    }
    level = configuration.confidence_level
    analyses = {name: analyse(of, configuration) for name, of in evidence.items()}
    return NetworkFindings(
        analyses,
        [
            synergy_results(
                entry, evidence[entry.network], configuration, analyses[entry.network].added
            )
            for entry in networks.synergy
            if entry.setting == setting
        ],
        [
            surrogacy_results(entry, evidence[entry.surrogate], evidence[entry.endpoint], level)
            for entry in networks.surrogacy
            if entry.setting == setting
        ],
    )


def tables_of(found: NetworkFindings, line: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by ``<id>/<name>``; the line of treatment is the setting in words."""
    for name, analysis in found.analyses.items():
        for table, content in network_tables(analysis, line).items():
            yield f"{name}/{table}", content
    for shown in found.synergy:
        yield f"{shown.analysis.network}/synergy", synergy_table(shown)
        yield f"{shown.analysis.network}/synergy_set_aside", not_factorial_table(shown)
    for pairs in found.surrogacy:
        yield f"{pairs.analysis.id}/trials", pairs.table
        yield f"{pairs.analysis.id}/models", surrogacy_table(pairs)
        yield f"{pairs.analysis.id}/cautions", cautions_table(pairs)


def _pages(
    found: NetworkFindings, configuration: Configuration, style: Style
) -> Iterator[tuple[str, Picture]]:
    for name, analysis in found.analyses.items():
        for drawing in network_drawings(analysis, style):
            yield f"{name}/{drawing.name}", drawing.page
    for shown in found.synergy:
        for drawing in synergy_drawings(shown, configuration, style):
            yield f"{shown.analysis.network}/{drawing.name}", drawing.page
    for pairs in found.surrogacy:
        plot = surrogacy_drawing(pairs, configuration.confidence_level, style)
        if plot is not None:
            yield f"{pairs.analysis.id}/{plot.name}", plot.page
