"""The sensitivity stage: tables and figures of one setting, an analysis at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.context import Context, setting_context
from trial_evidence.extract.narrowed import narrowed
from trial_evidence.figures.canvas.page import Picture
from trial_evidence.figures.canvas.publishing import LISTING, helpers, listing_of, publishing
from trial_evidence.figures.canvas.style import Style, style_for
from trial_evidence.files import read_table, write_long_table, write_table
from trial_evidence.kept import Parts
from trial_evidence.pool.columns import TRIAL_NUMBERS
from trial_evidence.sensitivity.choices import choice_tables, row_choices
from trial_evidence.sensitivity.comparison import Comparison, comparisons
from trial_evidence.sensitivity.deletion import (
    cumulative_table,
    influence_table,
    leave_one_out_table,
    shrinkage_table,
)
from trial_evidence.sensitivity.groups import subgroups_table
from trial_evidence.sensitivity.methods import methods_table
from trial_evidence.sensitivity.modifiers import effect_modifiers_table, with_all_modifiers
from trial_evidence.sensitivity.pictures.drawings import (
    FIGURES,
    comparison_figures,
    specification_figure,
)
from trial_evidence.sensitivity.regression import control_risk_table, meta_regression_table
from trial_evidence.sensitivity.reporting import small_study_table
from trial_evidence.sensitivity.specifications import (
    MULTIVERSE_COLUMNS,
    Multiverse,
    multiverse,
    multiverse_summary,
    multiverse_table,
)
from trial_evidence.sensitivity.what_would_change import what_would_change_table
from trial_evidence.sheet import Sheet

FOLDER = "sensitivity"
# Next to the record of the forest plots, which are in the same folders.
RECORD = ".drawn_sensitivity.json"
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Examined:
    """The results for one analysis: tables and pages by name."""

    tables: Tables
    pages: Mapping[str, Picture]
    multiverse: Multiverse | None


def write_sensitivity(
    configuration: Configuration,
    sheet: Sheet,
    setting: str,
    results: Path,
    parts: Parts,
    processes: int = 1,
) -> None:
    """Write every sensitivity table of a setting, and the figures of its analyses.

    Parameters
    ----------
    results : Path
        Contains ``<setting>/trials.csv``. Tables go to ``<setting>/sensitivity/``, figures of an
        analysis's first measure to ``<setting>/<analysis>/``; ``figures.csv`` in the folder of the
        tables lists them. Figures of an earlier run that the data no longer support are removed.
    parts : Parts
        Cached results for the analyses from earlier runs.
    processes : int
        Number of processes that draw while the next analysis is computed; with one, drawing and
        computing alternate.
    """
    folder, style = results / setting, style_for(configuration.figures.width_mm)
    trials = read_table(folder / "trials.csv", TRIAL_NUMBERS)
    compared = comparisons(configuration, setting, trials)
    context = setting_context(sheet, configuration, setting)
    # Factors whose shares of patients are covariates.
    covariates = [name.partition("=") for name in configuration.sensitivity.covariates]
    factors = [factor for factor, share, _ in covariates if share]
    own = [f"{a.id}/{kind}*" for a in configuration.of_setting(setting) for kind in FIGURES]
    found: dict[str, Examined] = {}
    with (
        helpers(processes if processes > 1 else 0) as pool,
        publishing(folder, configuration.figures.formats, pool, own=own, record=RECORD) as drawing,
    ):
        for analysis in with_all_modifiers(configuration, sheet, setting):
            # The cache key: the computation sees nothing else of the sheet and the configuration.
            seen = (
                analysis,
                tuple(c for c in compared if c.analysis.id == analysis.id),
                narrowed(sheet, analysis, context.contrasts, factors),
                replace(configuration, analyses=(), rates=()),
                style,
            )
            one = parts.value((FOLDER, *seen), partial(_examined, *seen))
            found[analysis.id] = one
            drawing.add({f"{analysis.id}/{name}": page for name, page in one.pages.items()})
        parts.forget_others()
        none = {**_tables((), (), sheet, configuration, context), **choice_tables(())}
        for name, empty in none.items():
            rows = (one.tables[name] for one in found.values())
            write_long_table(folder / FOLDER / f"{name}.csv", (empty, *rows))
        curves = [one.multiverse for one in found.values() if one.multiverse is not None]
        write_table(folder / FOLDER / "multiverse_summary.csv", multiverse_summary(curves))
        level = configuration.confidence_level
        chunks = (rows for curve in curves for rows in multiverse_table(curve, level))
        empty = pd.DataFrame(columns=MULTIVERSE_COLUMNS)
        write_long_table(folder / FOLDER / "multiverse.csv", chain((empty,), chunks))
    listed = {
        (setting, id_, name): page for id_, one in found.items() for name, page in one.pages.items()
    }
    write_table(folder / FOLDER / LISTING, listing_of(listed))


def _examined(
    analysis: Analysis,
    compared: tuple[Comparison, ...],
    sheet: Sheet,
    configuration: Configuration,
    style: Style,
) -> Examined:
    context = setting_context(sheet, configuration, analysis.setting)
    choices = row_choices(configuration, sheet, analysis, context)
    curve = multiverse(configuration, analysis, choices)
    rows = None if curve is None else curve.rows()
    tables = _tables((analysis,), compared, sheet, configuration, context)
    return Examined(
        {**tables, **choice_tables(choices)},
        analysis_pages(analysis, compared, rows, sheet, configuration, style),
        curve,
    )


def _tables(
    analyses: tuple[Analysis, ...],
    compared: tuple[Comparison, ...],
    sheet: Sheet,
    configuration: Configuration,
    context: Context,
) -> Tables:
    choices = configuration.sensitivity
    return {
        "methods": methods_table(compared, choices),
        "leave_one_out": leave_one_out_table(compared),
        "cumulative": cumulative_table(compared),
        "influence": influence_table(compared),
        "shrinkage": shrinkage_table(compared),
        "small_study": small_study_table(compared),
        "subgroups": subgroups_table(compared, sheet),
        "effect_modifiers": effect_modifiers_table(configuration, analyses, context),
        "control_risk": control_risk_table(compared),
        "meta_regression": meta_regression_table(compared, sheet, choices),
        "what_would_change": what_would_change_table(compared, choices),
    }


def analysis_pages(
    analysis: Analysis,
    compared: Sequence[Comparison],
    specifications: pd.DataFrame | None,
    sheet: Sheet,
    configuration: Configuration,
    style: Style,
) -> dict[str, Picture]:
    """Every sensitivity figure of an analysis, for its first measure, by name.

    Parameters
    ----------
    compared : sequence of Comparison
        Of the analysis, and possibly of others.
    specifications : DataFrame, optional
        Its rows of the table ``multiverse``.
    """
    pages: dict[str, Picture] = {}
    for c in compared:
        if (c.analysis.id, c.measure) == (analysis.id, analysis.measures[0]):
            pages |= comparison_figures(c, sheet, configuration.sensitivity, style)
    if specifications is not None:
        pages["specification"] = specification_figure(analysis, specifications, style)
    return pages
