"""The outputs of the stages, as the trail reads them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.files import Record, read_table, records, where
from trial_evidence.measures import MEASURES
from trial_evidence.network.evidence.columns import USED_NUMBERS
from trial_evidence.sheet.values import ALL

FOLDER = "network"
_RESULT = ["estimate", "ci_low", "ci_high", "p_value"]
# Table of the network stage -> its numeric columns that are read.
NETWORK_NUMBERS: Mapping[str, list[str]] = {
    "used": USED_NUMBERS,
    "set_aside": [],
    "nodes": [],
    "contrasts": ["yi", "se"],
    "summary": ["trials", "tau2_reml", "tau2_dl", "i2", "q", "q_df", "q_p"],
    "intervals": ["tau2"],
    "reference": [*_RESULT, "ci_level", "pi_low", "pi_high"],
    "league": [*_RESULT, "ci_level", "pi_low", "pi_high"],
    "alternatives": ["part", *_RESULT[:3], "ci_level", "direct_share", "indirect_share"],
    "comparisons": [],
    "contributions": ["share"],
    "split": ["ci_level", "difference_p"],
    "inconsistency": ["part", "p_value"],
    "components": [*_RESULT, "ci_level", "tau2"],
    "interactions": [*_RESULT, "ci_level", "tau2"],
    "synergy": ["background", "k", *_RESULT, "ci_level", "pi_low", "pi_high", "tau2"],
    "synergy_set_aside": [],
}
PAIR_NUMBERS = [
    "odds_ratio", "odds_low", "odds_high", "hazard_ratio", "hazard_low", "hazard_high", "ci_level",
]  # fmt: skip


@dataclass(frozen=True)
class NetworkTables:
    """The tables of the network stage, all settings.

    Attributes
    ----------
    networks : mapping of str to mapping of str to DataFrame
        ``<setting>/<network>`` -> table (``NETWORK_NUMBERS``) -> its rows, for tables that exist;
        a network without data on the requested trial has no tables.
    surrogacy : tuple of DataFrame
        The pairs of effects of each surrogacy analysis.
    """

    networks: Mapping[str, Mapping[str, pd.DataFrame]]
    surrogacy: tuple[pd.DataFrame, ...]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of one table from all networks."""
        found = [tables[table] for tables in self.networks.values() if table in tables]
        return [row for rows in found for row in records(rows)]


@dataclass(frozen=True)
class Evidence:
    """The outputs of the stages, all settings together."""

    contrasts: pd.DataFrame
    set_aside: pd.DataFrame
    trials: pd.DataFrame
    rates: pd.DataFrame
    estimates: pd.DataFrame
    networks: NetworkTables


def members(table: pd.DataFrame, pool: Record, subgroup: str, measure: str) -> pd.DataFrame:
    """The rows of a table that belong to the trials of a pool and are pooled."""
    wanted = {"setting": pool["setting"], "analysis": pool["analysis"], "measure": measure}
    rows = where(table, **wanted, subgroup=subgroup, pooled="yes")
    return rows[rows["trial_id"].isin(pool["trials"].split(";"))]


def rows_behind(evidence: Evidence, pool: Record) -> pd.DataFrame:
    """The rows of ``trials``, or of ``rates``, behind a pooled estimate.

    Parameters
    ----------
    pool : Record
        A row of ``estimates``; not of a comparison within trials, which rests on two levels.
    """
    if not MEASURES[pool["measure"]].compares:
        rows = members(evidence.rates, pool, pool["subgroup"], pool["measure"])
        return where(rows, regimen_label=pool["experimental"])
    level = pool["subgroup"].partition(" & trial=")[0]
    reported = set(evidence.trials["subgroup"])
    return members(evidence.trials, pool, level if level in reported else ALL, pool["measure"])


def pools_of_trials(
    configuration: Configuration, evidence: Evidence
) -> Iterator[tuple[Analysis | RateAnalysis, Record, pd.DataFrame]]:
    """Every pool of two or more trials in its first measure: leading estimate, rows behind it.

    Groups of trials that an analysis also pools as a whole are left out: the rows are the same, and
    their weights are those of the whole.
    """
    entries: list[Analysis | RateAnalysis] = [*configuration.analyses, *configuration.rates]
    known = {(entry.setting, entry.id): entry for entry in entries}
    leads = where(evidence.estimates, role="lead")
    for lead in records(leads[leads["k"] >= 2]):
        entry = known[lead["setting"], lead["analysis"]]
        if isinstance(entry, Analysis):
            part = lead["subgroup"].startswith(f"{entry.subgroups}=")
            if lead["measure"] != entry.measures[0] or (part and entry.pool == "overall"):
                continue
        yield entry, lead, rows_behind(evidence, lead)


def read_network_tables(settings: Iterable[str], results: Path) -> NetworkTables:
    """Read the tables of the network stage; settings in which it has not run are left out."""
    networks: dict[str, dict[str, pd.DataFrame]] = {}
    surrogacy = []
    for setting in settings:
        for folder in sorted((results / setting / FOLDER).glob("*/")):
            if (folder / "models.csv").is_file():
                surrogacy.append(read_table(folder / "trials.csv", PAIR_NUMBERS))
                continue
            networks[f"{setting}/{folder.name}"] = {
                name: read_table(folder / f"{name}.csv", numbers)
                for name, numbers in NETWORK_NUMBERS.items()
                if (folder / f"{name}.csv").is_file()
            }
    return NetworkTables(networks, tuple(surrogacy))
