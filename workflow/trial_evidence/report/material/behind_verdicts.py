"""The sensitivity tables behind verdicts and certainty, without figures."""

from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.context import Context
from trial_evidence.files import read_table, write_table
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.report.material.material import SENSITIVITY_NUMBERS
from trial_evidence.sensitivity.choices import row_choices
from trial_evidence.sensitivity.comparison import BEGINNING, comparisons
from trial_evidence.sensitivity.deletion import leave_one_out_table
from trial_evidence.sensitivity.modifiers import effect_modifiers_table, with_all_modifiers
from trial_evidence.sensitivity.reporting import small_study_table
from trial_evidence.sensitivity.specifications import multiverse, multiverse_summary
from trial_evidence.sheet import Sheet


def write_behind_verdicts(
    configuration: Configuration, sheet: Sheet, context: Context, results: Path
) -> None:
    """Write how single trials and defensible choices affect the answers of a setting.

    The other tables that the report reads are written without rows: no verdict needs them.

    Parameters
    ----------
    context : Context
        The part of the sheet on the setting.
    results : Path
        Holds ``<setting>/trials.csv``.
    """
    setting = context.setting
    trials = read_table(results / setting / "trials.csv", TRIAL_NUMBERS)
    compared = comparisons(configuration, setting, trials)
    analyses = with_all_modifiers(configuration, sheet, setting)
    curves = (
        multiverse(configuration, analysis, row_choices(configuration, sheet, analysis, context))
        for analysis in analyses
    )
    tables = {
        name: pd.DataFrame(columns=[*BEGINNING, *numbers])
        for name, numbers in SENSITIVITY_NUMBERS.items()
    }
    tables |= {
        "leave_one_out": leave_one_out_table(compared),
        "small_study": small_study_table(compared),
        "effect_modifiers": effect_modifiers_table(configuration, analyses, context),
        "multiverse_summary": multiverse_summary(curve for curve in curves if curve is not None),
    }
    for name, table in tables.items():
        write_table(results / setting / "sensitivity" / f"{name}.csv", table)
