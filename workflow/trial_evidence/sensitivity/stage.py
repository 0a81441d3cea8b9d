"""The sensitivity stage: tables and figures of one setting."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.extract.columns import USED_NUMBERS
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.publishing import LISTING, listing_of, publish
from trial_evidence.figures.canvas.style import Style, style_for
from trial_evidence.files import read_table, write_long_table, write_table
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sensitivity.comparison import Comparison, comparisons
from trial_evidence.sensitivity.deletion import (
    cumulative_table,
    influence_table,
    leave_one_out_table,
)
from trial_evidence.sensitivity.groups import subgroups_table
from trial_evidence.sensitivity.methods import methods_table
from trial_evidence.sensitivity.modifiers import effect_modifiers_table
from trial_evidence.sensitivity.pictures.drawings import (
    FIGURES,
    comparison_figures,
    specification_figure,
)
from trial_evidence.sensitivity.regression import meta_regression_table
from trial_evidence.sensitivity.reporting import small_study_table
from trial_evidence.sensitivity.shrinkage import shrinkage_table
from trial_evidence.sensitivity.specifications import (
    multiverse_summary,
    multiverse_table,
    multiverses,
)
from trial_evidence.sheet import Sheet

FOLDER = "sensitivity"
# Beside that of the forest plots, whose folders these figures share.
RECORD = ".drawn_sensitivity.json"


def write_sensitivity(
    configuration: Configuration,
    sheet: Sheet,
    setting: str,
    results: Path,
    processes: int = 1,
) -> None:
    """Write every sensitivity table of a setting, and the figures of its analyses.

    Parameters
    ----------
    results : Path
        Holds ``<setting>/trials.csv``. Tables go to ``<setting>/sensitivity/``, figures of an
        analysis's first measure to ``<setting>/<analysis>/``, and ``figures.csv`` among the
        tables lists them. A figure of an earlier run that the data no longer support is removed.
    processes : int
        To draw with.
    """
    folder, choices = results / setting, configuration.sensitivity
    trials = read_table(folder / "trials.csv", [*USED_NUMBERS, *TRIAL_NUMBERS])
    found = comparisons(configuration, setting, trials)
    curves = multiverses(configuration, sheet, setting)
    tables = {
        "methods": methods_table(found, choices),
        "leave_one_out": leave_one_out_table(found),
        "cumulative": cumulative_table(found),
        "influence": influence_table(found),
        "shrinkage": shrinkage_table(found),
        "small_study": small_study_table(found),
        "subgroups": subgroups_table(found, sheet),
        "effect_modifiers": effect_modifiers_table(configuration, sheet, setting),
        "meta_regression": meta_regression_table(found, sheet, choices),
        "multiverse_summary": multiverse_summary(curves),
    }
    for name, content in tables.items():
        write_table(folder / FOLDER / f"{name}.csv", content)
    # Many rows of long words: an analysis at a time.
    parts = [curves[at : at + 1] for at in range(max(len(curves), 1))]
    level = configuration.confidence_level
    multiverse = folder / FOLDER / "multiverse.csv"
    write_long_table(multiverse, (multiverse_table(part, level) for part in parts))
    style = style_for(configuration.figure_width_mm)
    pages = sensitivity_pages(configuration, found, curves, sheet, setting, style)
    own = [f"{a.id}/{kind}*" for a in configuration.of_setting(setting) for kind in FIGURES]
    publish(pages, folder, configuration.figure_formats, processes, own=own, record=RECORD)
    listed = {(setting, *stem.split("/")): page for stem, page in pages.items()}
    write_table(folder / FOLDER / LISTING, listing_of(listed))


def sensitivity_pages(
    configuration: Configuration,
    found: Sequence[Comparison],
    curves: Iterable[pd.DataFrame],
    sheet: Sheet,
    setting: str,
    style: Style,
) -> dict[str, Picture]:
    """Every sensitivity figure of a setting, of each analysis's first measure.

    Parameters
    ----------
    curves : iterable of DataFrame
        The specifications of each analysis, as in the table ``multiverse``.

    Returns
    -------
    dict
        Pages by ``<analysis>/<name>``.
    """
    choices = configuration.sensitivity
    pages: dict[str, Picture] = {}
    for c in found:
        if c.measure != c.analysis.measures[0]:
            continue
        for name, figure in comparison_figures(c, sheet, choices, style):
            pages[f"{c.analysis.id}/{name}"] = figure
    analyses = {analysis.id: analysis for analysis in configuration.of_setting(setting)}
    for rows in curves:
        name = str(rows["analysis"].iloc[0])
        pages[f"{name}/specification"] = specification_figure(analyses[name], rows, style)
    return pages
