"""The extract stage: writes the tidy evidence of every setting to data/processed."""

import hashlib
from collections.abc import Collection
from pathlib import Path

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.evidence import SettingEvidence, extract_setting
from trial_evidence.files import write_table, write_text
from trial_evidence.sheet import Sheet

# Tables, besides results and the years of sources, on which results or evidence tables depend.
EVIDENCE_TABLES = (
    "adjudication", "agents", "arms", "exclusions", "populations", "risk_of_bias",
    "second_reading", "trials",
)  # fmt: skip
TABLES = ("used", "set_aside", "contrasts", "rates")
# Only the audit and the report use working notes, and they read the sheet itself.
WORKING_NOTE = "note"


def write_evidence(sheet: Sheet, configuration: Configuration, processed: Path) -> None:
    """Write ``used``, ``set_aside``, ``contrasts``, ``rates`` and a checksum for every setting.

    An unchanged file keeps its time stamp, so that correcting a row of one setting recomputes only
    that setting.
    """
    for setting in configuration.settings:
        write_tables(extract_setting(sheet, configuration, setting), processed / setting)
        mark = setting_checksum(sheet, setting)
        write_text(processed / setting / "sheet.sha256", f"{mark}\n", keep_unchanged=True)


def write_tables(evidence: SettingEvidence, folder: Path) -> None:
    """Write the evidence of one setting into its folder."""
    for table in TABLES:
        write_table(folder / f"{table}.csv", getattr(evidence, table), keep_unchanged=True)


def setting_checksum(sheet: Sheet, setting: str, tables: Collection[str] | None = None) -> str:
    """Checksum of all rows of the sheet that concern a setting, regardless of their position.

    A stage that needs more of the sheet than the evidence runs again when this changes.

    Parameters
    ----------
    tables : collection of str, optional
        The tables to consider, besides the years of the sources cited; all by default.

    Returns
    -------
    str
        SHA-256 of the rows of the setting's trials in the tables of numbers, decisions and second
        readings, of the agents, and of the years of the sources cited; without working notes.
    """
    trials = sheet["trials"]
    concerned = set(trials.loc[trials["setting"] == setting, "trial_id"])
    digest = hashlib.sha256()
    for name in (*EVIDENCE_TABLES, *sheet.results):
        if tables is not None and name not in tables:
            continue
        # Row numbers count only in tables of results: evidence refers to those rows by number.
        unread = {WORKING_NOTE} if name in sheet.results else {WORKING_NOTE, "row"}
        table = sheet[name].drop(columns=unread.intersection(sheet[name]))
        if "trial_id" in table:
            table = table[table["trial_id"].isin(concerned)]
        digest.update(name.encode() + table.to_csv(index=False, lineterminator="\n").encode())
    cited = {
        source
        for name in sheet.results
        for trial, source in zip(sheet[name]["trial_id"], sheet[name]["source_id"], strict=True)
        if trial in concerned
    }
    years = sheet["sources"].loc[sheet["sources"]["source_id"].isin(cited), ["source_id", "year"]]
    years = years.sort_values("source_id")
    digest.update(years.to_csv(index=False, lineterminator="\n").encode())
    return digest.hexdigest()
