"""The trials of an analysis as a page prints them: result, row of the sheet, source, judgement."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.files import records
from trial_evidence.report.page.sources import JOINED, Link, Reference, of_row, registry_links
from trial_evidence.report.page.svg import RowLink
from trial_evidence.report.trail.trace import cells_of
from trial_evidence.words.numbers import format_interval, format_number

PRIMARY = "primary"
DOMAINS = {
    "d1_randomisation": "Randomisation",
    "d2_deviations": "Deviations",
    "d3_missing": "Missing data",
    "d4_measurement": "Measurement",
    "d5_selection": "Selection",
    "overall": "Overall",
}
# A sign beside the word, so that a judgement does not hang on its colour.
JUDGEMENTS = {"low": ("+", "low"), "some_concerns": ("?", "some concerns"), "high": ("−", "high")}


@dataclass(frozen=True)
class TrialRow:
    """One trial in one analysis, for one group of patients and one regimen.

    Attributes
    ----------
    anchor : str
        Id in the page, the same for every measure.
    trial_id, trial, year, patients, arms, result : str
        Result is what the sheet holds, ``42/107 v 23/107`` or a hazard ratio.
    about : str
        Definition or endpoint, population, cut of the data, follow-up, assessor.
    verification, derivation, locator, cells, note : str
    references : tuple of Reference
    registrations : tuple of Link
    pooled : bool
    reason : str
        Why it is not pooled.
    """

    anchor: str
    trial_id: str
    trial: str
    year: str
    patients: str
    arms: str
    result: str
    about: str
    verification: str
    derivation: str
    locator: str
    cells: str
    note: str
    references: tuple[Reference, ...]
    registrations: tuple[Link, ...]
    pooled: bool
    reason: str

    @property
    def source(self) -> str:
        """Sources in a few words."""
        return JOINED.join(reference.short for reference in self.references)

    @property
    def primary(self) -> bool:
        """Whether all of the result was seen in the trial's own report."""
        return all(word == PRIMARY for word in self.verification.split(JOINED))


def anchor(*parts: str) -> str:
    """An id of a page made of ids of the sheet and of the configuration.

    Parameters
    ----------
    *parts : str

    Returns
    -------
    str
        Letters, digits and hyphens.
    """
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts if part)


def row_anchor(record: Mapping[str, Any]) -> str:
    """Id of a row of ``trials.csv`` or ``rates.csv``: the same for every measure.

    Parameters
    ----------
    record : mapping

    Returns
    -------
    str
    """
    return anchor(
        "row", record["setting"], record["analysis"], record["trial_id"], record["subgroup"],
        record.get("regimen", ""),
    )  # fmt: skip


def patients_in_words(subgroup: str) -> str:
    """Whom a subgroup holds: ``hormone_receptor=negative`` is ``hormone receptor negative``."""
    return "all patients" if subgroup == "all" else re.sub(r"[_=]", " ", subgroup)


def trial_rows(
    rows: pd.DataFrame, references: Mapping[str, Reference], registered: Mapping[str, str]
) -> tuple[TrialRow, ...]:
    """The rows of an analysis, one a trial, group of patients and regimen.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``trials.csv`` or ``rates.csv`` of one analysis; further measures of the same
        trial are left out.
    references : mapping
        source_id -> reference.
    registered : mapping
        trial_id -> registration as the sheet has it.

    Returns
    -------
    tuple of TrialRow
        All patients first, in the order of the table.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for record in records(rows):
        first.setdefault(row_anchor(record), record)
    found = [_row(record, references, registered) for record in first.values()]
    return tuple(sorted(found, key=lambda row: row.patients != "all patients"))


def own_result(record: Mapping[str, Any]) -> str:
    """A trial's estimate with its interval as figures print it.

    Parameters
    ----------
    record : mapping
        ``estimate``, ``estimate_low``, ``estimate_high``, on the natural scale.

    Returns
    -------
    str
        For example ``1.83 (1.19–2.81)``; ``""`` where there is none.
    """
    if math.isnan(record["estimate"]):
        return ""
    interval = format_interval(record["estimate_low"], record["estimate_high"])
    return f"{format_number(record['estimate'])} ({interval})"


def tip(row: TrialRow, result: str) -> str:
    """What is said of a trial on hover and focus: result, source, place in it, verification.

    Parameters
    ----------
    row : TrialRow
    result : str

    Returns
    -------
    str
    """
    source = ", ".join(part for part in (row.source, row.locator) if part)
    return f"{row.trial}: {result or 'no estimate'}. Source: {source}; {row.verification}."


def row_links(rows: pd.DataFrame, shown: Iterable[TrialRow]) -> list[RowLink]:
    """The rows of a figure as links to the page's table of rows.

    Parameters
    ----------
    rows : DataFrame
        The trials the figure shows, of one measure.
    shown : iterable of TrialRow
        The same trials as the page prints them.

    Returns
    -------
    list of RowLink
    """
    by_anchor = {row.anchor: row for row in shown}
    links = []
    for record in records(rows):
        row = by_anchor[row_anchor(record)]
        labels = (row.trial, f"{row.trial} ({row.year})") if row.year else (row.trial,)
        result = own_result(record)
        links.append(RowLink(labels, result, row.anchor, tip(row, result)))
    return links


def bias_rows(
    judgements: pd.DataFrame, trials: Mapping[str, str], outcomes: Iterable[str]
) -> list[dict[str, Any]]:
    """Risk-of-bias judgements of the trials and outcomes of an analysis.

    Parameters
    ----------
    judgements : DataFrame
        The table risk_of_bias of the sheet.
    trials : mapping
        trial_id -> name, of the trials of the analysis.
    outcomes : iterable of str

    Returns
    -------
    list of dict
        ``trial``, ``outcome``, ``note`` and, under ``domains``, pairs of sign and word.
    """
    wanted = set(outcomes)
    return [
        {
            "trial": trials[record["trial_id"]],
            "outcome": record["outcome"],
            "note": record["note"],
            "domains": [JUDGEMENTS[record[domain]] for domain in DOMAINS],
        }
        for record in records(judgements)
        if record["trial_id"] in trials and record["outcome"] in wanted
    ]


def _row(
    record: Mapping[str, Any], references: Mapping[str, Reference], registered: Mapping[str, str]
) -> TrialRow:
    differ = str(record["readers_differ"])
    note = [str(record["note"]), f"Two readers differ: {differ}." if differ else ""]
    return TrialRow(
        anchor=row_anchor(record),
        trial_id=str(record["trial_id"]),
        trial=str(record["trial"]),
        year="" if math.isnan(record["year"]) else f"{record['year']:.0f}",
        patients=patients_in_words(str(record["subgroup"])),
        arms=_arms(record),
        result=_result(record),
        about=_about(record),
        verification=str(record["verification"]),
        derivation=str(record["derivation"]).replace("_", " "),
        locator=str(record["locator"]),
        cells=cells_of(record),
        note=" ".join(part for part in note if part),
        references=of_row(references, str(record["source_id"])),
        registrations=registry_links(registered.get(str(record["trial_id"]), "")),
        pooled=record["pooled"] == "yes",
        reason=str(record["not_pooled_reason"]),
    )


def _arms(record: Mapping[str, Any]) -> str:
    if "regimen_label" in record:
        return str(record["regimen_label"])
    return f"{record['experimental']} v {record['control']}"


def _result(record: Mapping[str, Any]) -> str:
    if "regimen_label" in record:
        return _share(record["events"], record["n"])
    if record["measure"] == "hazard_ratio":
        given = [record["ci_low"], record["ci_high"]]
        limits = (
            f" ({record['ci_level']:g}% CI {_plain(given[0])} to {_plain(given[1])})"
            if any(not math.isnan(limit) for limit in given)
            else ""
        )
        return f"HR {_plain(record['hr'])}{limits}"
    arms = [(record[f"events_{arm}"], record[f"n_{arm}"]) for arm in ("experimental", "control")]
    return " v ".join(_share(events, n) for events, n in arms)


def _share(events: float, n: float) -> str:
    return f"{_plain(events)}/{_plain(n)}"


def _plain(value: float) -> str:
    return "not given" if math.isnan(value) else f"{value:g}"


def _about(record: Mapping[str, Any]) -> str:
    months = record.get("median_followup_months", float("nan"))
    parts = [
        record.get("endpoint", ""),
        record["definition"],
        record["population"],
        f"{record['analysis_cut']} analysis" if record.get("analysis_cut") else "",
        "" if math.isnan(months) else f"median follow-up {months:g} months",
        record["assessor"],
    ]
    return "; ".join(str(part) for part in parts if part)
