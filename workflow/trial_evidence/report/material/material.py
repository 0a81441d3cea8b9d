"""What the report is made of: configuration, sheet, and everything the earlier stages wrote."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS
from trial_evidence.files import read_table, records
from trial_evidence.pool.columns import ESTIMATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.report.trail.evidence import Evidence, read_network_tables
from trial_evidence.sheet import Sheet

# Two arms of a trial may have been read in two sources.
JOINED = " / "
NO_NETWORKS = NetworkConfiguration({}, {}, (), (), ())
_RESULT = ["k", "estimate", "ci_low", "ci_high", "ci_level", "p_value"]
# Table of the sensitivity stage -> the columns that are numbers, of those the report reads.
SENSITIVITY_NUMBERS: Mapping[str, list[str]] = {
    "methods": [*_RESULT, "pi_low", "pi_high", "tau2"],
    "leave_one_out": _RESULT,
    "cumulative": [*_RESULT, "year"],
    "influence": ["cook_distance"],
    "small_study": ["k", "p_value", "estimate", "ci_low", "ci_high"],
    "subgroups": _RESULT,
    "effect_modifiers": _RESULT,
    "multiverse_summary": [
        "specifications", "median_estimate", "lowest_estimate", "highest_estimate",
        "share_excluding_no_effect", "share_below", "share_above",
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Material:
    """Everything the report reads.

    Attributes
    ----------
    configuration : Configuration
    report : ReportConfiguration
    sheet : Sheet
    evidence : Evidence
        Of all settings.
    sensitivity : mapping of str to DataFrame
        Table of the sensitivity stage -> its rows, all settings.
    results : Path
        Where the results lie, for the tables that a claim names.
    networks : NetworkConfiguration
        The networks that the report shows.
    """

    configuration: Configuration
    report: ReportConfiguration
    sheet: Sheet
    evidence: Evidence
    sensitivity: Mapping[str, pd.DataFrame]
    results: Path
    networks: NetworkConfiguration = NO_NETWORKS

    def sources(self) -> dict[str, dict[str, Any]]:
        """Source id -> its row of the sheet."""
        return {row["source_id"]: row for row in records(self.sheet["sources"])}

    def trials(self) -> dict[str, dict[str, Any]]:
        """Trial id -> its row of the sheet."""
        return {row["trial_id"]: row for row in records(self.sheet["trials"])}

    def titles(self) -> dict[tuple[str, str], str]:
        """(setting, id) -> title of every analysis, of every pool of rates and of every network."""
        configuration = self.configuration
        compared = {(a.setting, a.id): a.title for a in configuration.analyses}
        rates = {(r.setting, r.id): r.title for r in configuration.rates}
        networks = {(n.setting, n.id): n.title for n in self.networks.networks}
        return compared | rates | networks

    def trial_name(self, trial_id: str) -> str:
        """Name of a trial without what stands in brackets after it."""
        return str(self.trials()[trial_id]["name"]).partition(" (")[0]

    def study_name(self, study_id: str, source_id: str) -> str:
        """Name of a trial; of any other study, who reported it and when."""
        if study_id in self.trials():
            return self.trial_name(study_id)
        sources = self.sources()
        found = [citation(sources[key]) for key in source_ids(source_id) if key in sources]
        return "; ".join(found) or study_id.replace("_", " ")

    def front(self) -> tuple[Analysis, ...]:
        """The analyses that answer the question: those whose trials are pooled as one."""
        return tuple(a for a in self.configuration.analyses if a.pool == "overall")

    def leads(
        self, setting: str, analysis: str, measure: str, subgroup: str = "all"
    ) -> list[dict[str, Any]]:
        """The leading estimate of a pool, then the co-primary one; none where no trial is."""
        table = self.evidence.estimates
        found = table[
            (table["setting"] == setting)
            & (table["analysis"] == analysis)
            & (table["measure"] == measure)
            & (table["subgroup"] == subgroup)
            & table["role"].isin(["lead", "co-primary"])
        ]
        return sorted(records(found), key=lambda row: str(row["role"]), reverse=True)

    def lead(self, analysis: Analysis) -> dict[str, Any] | None:
        """The leading estimate of an analysis as its first measure, all patients."""
        rows = self.leads(analysis.setting, analysis.id, analysis.measures[0])
        return rows[0] if rows else None

    def pooled_trials(self, analysis: Analysis) -> pd.DataFrame:
        """The trials behind the leading estimate of an analysis, a row a trial."""
        table = self.evidence.trials
        return table[
            (table["setting"] == analysis.setting)
            & (table["analysis"] == analysis.id)
            & (table["measure"] == analysis.measures[0])
            & (table["subgroup"] == "all")
            & (table["pooled"] == "yes")
        ]

    def of(self, table: str, analysis: Analysis, measure: str = "") -> pd.DataFrame:
        """Rows of a sensitivity table about an analysis, as its first measure by default."""
        rows = self.sensitivity[table]
        return rows[
            (rows["setting"] == analysis.setting)
            & (rows["analysis"] == analysis.id)
            & (rows["measure"] == (measure or analysis.measures[0]))
        ]


def read_evidence(configuration: Configuration, processed: Path, results: Path) -> Evidence:
    """What the earlier stages have written, all settings together.

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    return Evidence(
        contrasts=all_settings(configuration, processed, "contrasts", []),
        set_aside=all_settings(configuration, processed, "set_aside", []),
        trials=all_settings(configuration, results, "trials", [*USED_NUMBERS, *TRIAL_NUMBERS]),
        rates=all_settings(configuration, results, "rates", [*RATE_NUMBERS, *TRIAL_NUMBERS]),
        estimates=all_settings(configuration, results, "estimates", ESTIMATE_NUMBERS),
        networks=read_network_tables(configuration.settings, results),
    )


def read_material(
    configuration: Configuration,
    report: ReportConfiguration,
    sheet: Sheet,
    processed: Path,
    results: Path,
    networks: NetworkConfiguration = NO_NETWORKS,
) -> Material:
    """Read what the report is made of.

    Parameters
    ----------
    configuration : Configuration
    report : ReportConfiguration
    sheet : Sheet
    processed, results : Path
        Where the earlier stages wrote; the sensitivity stage among them.
    networks : NetworkConfiguration

    Returns
    -------
    Material

    Raises
    ------
    FileNotFoundError
        If a stage has not run.
    """
    return Material(
        configuration,
        report,
        sheet,
        read_evidence(configuration, processed, results),
        {
            name: all_settings(configuration, results, f"sensitivity/{name}", numbers)
            for name, numbers in SENSITIVITY_NUMBERS.items()
        },
        results,
        networks,
    )


def all_settings(
    configuration: Configuration, folder: Path, name: str, numbers: list[str]
) -> pd.DataFrame:
    """One table of every setting, in one frame.

    Parameters
    ----------
    configuration : Configuration
    folder : Path
        Holds ``<setting>/<name>.csv``.
    name : str
    numbers : list of str
        Columns that are numbers.
    """
    tables = [
        read_table(folder / setting / f"{name}.csv", numbers) for setting in configuration.settings
    ]
    return pd.concat(tables, ignore_index=True)


def source_ids(cell: str) -> Iterator[str]:
    """The sources of a row, which may join those of two arms."""
    yield from filter(None, dict.fromkeys(cell.split(JOINED)))


def citation(source: Mapping[str, Any]) -> str:
    """A source in one line: author, year, journal; as far as the sheet has them."""
    year = "" if math.isnan(source["year"]) else f"{source['year']:.0f}"
    who = " ".join(filter(None, [source["first_author"], year]))
    return ", ".join(filter(None, [who, source["journal"] or source["title_short"]]))


def links(cell: str, sources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Citation, DOIs and PubMed numbers of a row's sources, joined by ``; ``.

    Returns
    -------
    dict
        ``source``, ``doi``, ``pmid``.
    """
    found = [sources[key] for key in source_ids(cell)]
    return {
        "source": "; ".join(citation(source) for source in found),
        "doi": "; ".join(filter(None, (str(source["doi"]) for source in found))),
        "pmid": "; ".join(filter(None, (str(source["pmid"]) for source in found))),
    }
