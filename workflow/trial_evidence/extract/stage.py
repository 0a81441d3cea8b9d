"""The extract stage: tidy evidence of every setting into data/processed."""

from pathlib import Path

from trial_evidence.configuration import Configuration
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.files import write_table
from trial_evidence.sheet import Sheet

TABLES = ("used", "set_aside", "contrasts", "rates")


def write_evidence(sheet: Sheet, configuration: Configuration, processed: Path) -> None:
    """Write ``used``, ``set_aside``, ``contrasts`` and ``rates`` of every setting.

    A file whose content has not changed keeps its time stamp, so that correcting a row of one
    setting recomputes that setting alone.
    """
    for setting in configuration.settings:
        evidence = extract_setting(sheet, configuration, setting)
        for table in TABLES:
            path = processed / setting / f"{table}.csv"
            write_table(path, getattr(evidence, table), keep_unchanged=True)
