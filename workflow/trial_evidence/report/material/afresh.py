"""Evidence computed from the current sheet without the workflow, only as far as requested.

It passes through files, as in the stages, so that everything printed from it is the same.
"""

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.extract.context import Context, setting_context
from trial_evidence.extract.evidence import evidence_of
from trial_evidence.extract.stage import write_tables
from trial_evidence.files import write_table
from trial_evidence.kept import Parts
from trial_evidence.network.evidence.rows import network_evidence
from trial_evidence.network.examined import examined, synergy_of
from trial_evidence.pool.stage import write_estimates
from trial_evidence.report.material.behind_verdicts import write_behind_verdicts
from trial_evidence.report.material.material import Material, read_evidence, read_material
from trial_evidence.report.trail.evidence import FOLDER, Evidence
from trial_evidence.sheet import Sheet

# (setting, network) -> its tables by name.
TablesOfNetworks = Mapping[tuple[str, str], Mapping[str, pd.DataFrame]]


def evidence_on(
    trial_id: str,
    analysis: str,
    sheet: Sheet,
    configuration: Configuration,
    networks: NetworkConfiguration,
) -> Evidence:
    """Evidence of all analyses and networks that consider a trial, with all their trials.

    If an ``analysis`` (or network) is named, only of that one. Networks without data on the trial
    are included without tables.
    """
    trials = sheet["trials"].set_index("trial_id")
    setting = str(trials.loc[trial_id, "setting"])
    context = setting_context(sheet, configuration, setting)
    found = evidence_of(context)
    looking = {
        str(name)
        for table in (found.used, found.set_aside, found.rates)
        for name in table.loc[table["trial_id"] == trial_id, "analysis"]
        if analysis in {"", name}
    }
    tables = {}
    for network in networks.of_setting(setting):
        seen = network_evidence(sheet, configuration, networks, network, context)
        concerned = any(trial_id in set(table["trial_id"]) for table in (seen.used, seen.set_aside))
        if concerned and analysis in {"", network.id}:
            synergy = synergy_of(network, networks)
            tables[setting, network.id] = examined(seen, synergy, configuration)[2]
    only = replace(
        configuration,
        settings={setting: configuration.settings[setting]},
        analyses=tuple(a for a in configuration.of_setting(setting) if a.id in looking),
        rates=tuple(r for r in configuration.rates_of_setting(setting) if r.id in looking),
    )
    with tempfile.TemporaryDirectory() as folder:
        evidence = read_evidence(only, *_written({setting: context}, only, tables, Path(folder)))
    every: dict[str, dict[str, pd.DataFrame]] = {
        f"{network.setting}/{network.id}": {} for network in networks.networks
    }
    known = replace(evidence.networks, networks={**every, **evidence.networks.networks})
    return replace(evidence, networks=known)


def material_on(
    answers: Collection[tuple[str, str]],
    contexts: Mapping[str, Context],
    sheet: Sheet,
    configuration: Configuration,
    report: ReportConfiguration,
    networks: NetworkConfiguration,
    tables: TablesOfNetworks,
    folder: Path,
) -> Material:
    """The material for verdicts on, and certainty of, some answers (setting and analysis).

    Parameters
    ----------
    contexts : mapping of str to Context
        Setting -> its part of the sheet.
    tables : mapping
        Tables of the networks that claims may name, and whose certainty is asked for.
    folder : Path
        Output folder; it must exist until the verdicts have been worked out.
    """
    # Some claims concern the sheet itself, and a material needs at least one setting.
    first = next(iter(configuration.settings))
    settings = {setting for setting, _ in (*answers, *tables)} or {first}
    only = replace(
        configuration,
        settings={
            name: title for name, title in configuration.settings.items() if name in settings
        },
        analyses=tuple(
            replace(a, measures=a.measures[:1])
            for a in configuration.answers
            if (a.setting, a.id) in answers
        ),
        rates=(),
    )
    processed, results = _written(contexts, only, tables, folder)
    for setting in only.settings:
        write_behind_verdicts(only, sheet, contexts[setting], results)
    return replace(
        read_material(only, report, sheet, processed, results, networks),
        configuration=configuration,
    )


def _written(
    contexts: Mapping[str, Context], only: Configuration, tables: TablesOfNetworks, folder: Path
) -> tuple[Path, Path]:
    """Write the evidence and estimates of a configuration, and the tables of networks."""
    processed, results = folder / "processed", folder / "results"
    for setting in only.settings:
        evidence = evidence_of(replace(contexts[setting], configuration=only))
        write_tables(evidence, processed / setting)
        write_estimates(only, setting, processed, results, Parts())
    for (setting, network), found in tables.items():
        for name, table in found.items():
            write_table(results / setting / FOLDER / network / f"{name}.csv", table)
    return processed, results
