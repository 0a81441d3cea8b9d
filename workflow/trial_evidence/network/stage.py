"""The network stage: networks of regimens of one setting, synergy and surrogacy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration, SurrogacyAnalysis, SynergyAnalysis
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.publishing import LISTING, listing_of, publish
from trial_evidence.figures.canvas.style import Style, style_for
from trial_evidence.files import write_table
from trial_evidence.kept import Parts
from trial_evidence.network.evidence.columns import with_level
from trial_evidence.network.evidence.rows import NetworkEvidence, evidence_of_networks
from trial_evidence.network.examined import examined, synergy_of
from trial_evidence.network.pictures.drawings import network_drawings
from trial_evidence.network.pictures.trial_level_drawings import surrogacy_drawing, synergy_drawings
from trial_evidence.network.within_trials.trial_level import (
    cautions_table,
    surrogacy_results,
    surrogacy_table,
)
from trial_evidence.sheet import Sheet

FOLDER = "network"


@dataclass(frozen=True)
class Shown:
    """Tables and pages by name, for a network or a surrogacy analysis."""

    tables: Mapping[str, pd.DataFrame]
    pages: Mapping[str, Picture]


def write_network(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    results: Path,
    parts: Parts,
    processes: int = 1,
) -> None:
    """Write every table and figure of the networks of a setting.

    Tables and figures go to ``<setting>/network/<id>/``, and ``<setting>/network/figures.csv``
    lists the figures. Outdated files of earlier runs in these folders are removed.

    Parameters
    ----------
    parts : Parts
        Cached results of earlier runs.
    processes : int
        Number of processes that draw.
    """
    folder = results / setting / FOLDER
    style = style_for(configuration.figures.width_mm)
    found = examined_networks(configuration, networks, sheet, setting, style, parts)
    parts.forget_others()
    for name, table in found.tables.items():
        write_table(folder / f"{name}.csv", table)
    kept = [f"{name}.csv" for name in found.tables]
    publish(found.pages, folder, configuration.figures.formats, processes, own=("*/*",), kept=kept)
    listed = {(setting, *stem.split("/")): page for stem, page in found.pages.items()}
    write_table(folder / LISTING, listing_of(listed))


def examined_networks(
    configuration: Configuration,
    networks: NetworkConfiguration,
    sheet: Sheet,
    setting: str,
    style: Style,
    parts: Parts,
) -> Shown:
    """Tables and pages by ``<id>/<name>``: networks first, then synergy, then surrogacy."""
    evidence = evidence_of_networks(sheet, configuration, networks, setting)
    # Only what is passed from here on enters the cache keys; the analyses of the configuration do
    # not.
    bare = replace(configuration, analyses=(), rates=())
    asked: list[tuple[str, Callable[..., Shown], tuple[Any, ...]]] = [
        (name, _of_network, (of, synergy_of(of.network, networks))) for name, of in evidence.items()
    ]
    asked += [
        (entry.id, _of_surrogacy, (entry, evidence[entry.surrogate], evidence[entry.endpoint]))
        for entry in networks.surrogacy
        if entry.setting == setting
    ]
    tables: dict[str, pd.DataFrame] = {}
    pages: dict[str, Picture] = {}
    for name, show, of in asked:
        shown = parts.value((show, *of, bare, style), partial(show, *of, bare, style))
        tables |= {f"{name}/{table}": content for table, content in shown.tables.items()}
        pages |= {f"{name}/{page}": content for page, content in shown.pages.items()}
    return Shown(tables, pages)


def _of_network(
    evidence: NetworkEvidence,
    synergy: Sequence[SynergyAnalysis],
    configuration: Configuration,
    style: Style,
) -> Shown:
    """A network, and synergy in its trials of two agents alone and together."""
    analysis, found, tables = examined(evidence, synergy, configuration)
    pages = network_drawings(analysis, style)
    for results in found:
        pages |= synergy_drawings(results, configuration, style)
    return Shown(tables, pages)


def _of_surrogacy(
    entry: SurrogacyAnalysis,
    surrogate: NetworkEvidence,
    endpoint: NetworkEvidence,
    configuration: Configuration,
    style: Style,
) -> Shown:
    level = configuration.confidence_level
    found = surrogacy_results(entry, surrogate, endpoint, level)
    drawn = surrogacy_drawing(found, level, style)
    return Shown(
        {
            "trials": with_level(found.table, level),
            "models": with_level(surrogacy_table(found), level),
            "cautions": cautions_table(found),
        },
        {} if drawn is None else {"surrogacy": drawn},
    )
