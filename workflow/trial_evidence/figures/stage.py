"""The figures stage: every forest plot of one setting, and a list of them."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    EffectModifier,
    RateAnalysis,
)
from trial_evidence.config.labels import Labels
from trial_evidence.config.looks import FigureConfiguration
from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS
from trial_evidence.figures.canvas.chart import Judgement
from trial_evidence.figures.canvas.page import Format
from trial_evidence.figures.canvas.pages import FIGURES_WORTH_A_PROCESS
from trial_evidence.figures.canvas.style import Style, style_for
from trial_evidence.figures.forests.evidence_forests import (
    Judgements,
    analysis_forest,
    modifier_forest,
    rate_forest,
    rate_overview,
)
from trial_evidence.figures.forests.forest import Forest, save
from trial_evidence.files import read_table, records, write_table
from trial_evidence.pool.columns import ESTIMATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.sheet import Sheet

ALL = {"all": "all patients"}
DOMAINS = (
    "d1_randomisation", "d2_deviations", "d3_missing", "d4_measurement", "d5_selection", "overall",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A figure of an analysis: where it goes, below results/<setting>/, and what it shows."""

    analysis: str
    stem: str
    forest: Forest


def write_figures(
    configuration: Configuration,
    looks: FigureConfiguration,
    sheet: Sheet,
    setting: str,
    processed: Path,
    results: Path,
    processes: int = 1,
) -> None:
    """Draw every forest plot of a setting and list them in ``figures.csv``.

    A figure of an earlier run that the data no longer support is removed.

    Parameters
    ----------
    configuration : Configuration
    looks : FigureConfiguration
        The words of every language.
    sheet : Sheet
        For its risk-of-bias judgements.
    setting : str
    processed, results : Path
        What earlier stages wrote, and where the figures go.
    processes : int
        To draw with.
    """
    folder = results / setting
    figures = setting_figures(configuration, looks, sheet, setting, processed, results)
    style = style_for(configuration.figure_width_mm)
    useful = min(processes, 1 + len(figures) // FIGURES_WORTH_A_PROCESS)
    draw = partial(_draw, folder=folder, style=style, formats=configuration.figure_formats)
    if useful > 1:
        with ProcessPoolExecutor(useful, mp_context=get_context("spawn")) as pool:
            list(pool.map(draw, figures))
    else:
        for figure in figures:
            draw(figure)
    _remove_others(folder, figures, configuration.figure_formats)
    listing = pd.DataFrame(
        {
            "setting": setting,
            "analysis": [figure.analysis for figure in figures],
            "figure": [figure.stem for figure in figures],
            "title": [figure.forest.title for figure in figures],
            "description": [figure.forest.description for figure in figures],
        }
    )
    write_table(folder / "figures.csv", listing)


def setting_figures(
    configuration: Configuration,
    looks: FigureConfiguration,
    sheet: Sheet,
    setting: str,
    processed: Path,
    results: Path,
) -> tuple[Figure, ...]:
    """Every forest plot of a setting, described; see `write_figures`."""
    folder = results / setting
    judged = judgements(sheet)
    estimates = read_table(folder / "estimates.csv", ESTIMATE_NUMBERS)
    trials = read_table(folder / "trials.csv", [*USED_NUMBERS, *TRIAL_NUMBERS])
    rates = read_table(folder / "rates.csv", [*RATE_NUMBERS, *TRIAL_NUMBERS])
    set_aside = read_table(processed / setting / "set_aside.csv", [])
    figures: list[Figure] = []
    for analysis in configuration.of_setting(setting):
        aside = set_aside[set_aside["analysis"] == analysis.id]
        say = looks.languages[analysis.figure.language]
        figures += _analysis_figures(analysis, trials, estimates, aside, configuration, say, judged)
    for rate_analysis in configuration.rates_of_setting(setting):
        say = looks.languages[rate_analysis.figure.language]
        figures += _rate_figures(rate_analysis, rates, estimates, configuration, say)
    return tuple(figures)


def judgements(sheet: Sheet) -> Judgements:
    """Risk-of-bias judgements by trial id and outcome: of the five domains, and overall."""
    known: dict[str, Judgement] = {"low": "low", "some_concerns": "some_concerns", "high": "high"}
    return {
        (record["trial_id"], record["outcome"]): tuple(known[record[name]] for name in DOMAINS)
        for record in records(sheet["risk_of_bias"])
    }


def _draw(figure: Figure, folder: Path, style: Style, formats: Sequence[Format]) -> None:
    save(figure.forest, folder / figure.stem, style, formats)


def _remove_others(folder: Path, figures: Sequence[Figure], formats: Sequence[str]) -> None:
    drawn = {folder / f"{figure.stem}.{kind}" for figure in figures for kind in formats}
    for analysis_id in {figure.analysis for figure in figures}:
        for path in (folder / analysis_id).rglob("forest*"):
            if path not in drawn:
                path.unlink()


def _analysis_figures(
    analysis: Analysis,
    trials: pd.DataFrame,
    estimates: pd.DataFrame,
    aside: pd.DataFrame,
    configuration: Configuration,
    say: Labels,
    judged: Judgements,
) -> Iterator[Figure]:
    for measure in analysis.measures:
        rows = trials[(trials["analysis"] == analysis.id) & (trials["measure"] == measure)]
        own = estimates[estimates["analysis"] == analysis.id]
        found = own[own["measure"].str.endswith((measure, f"of_{measure}s"))]
        suffix = "" if measure == analysis.measures[0] else f"_{measure}"
        yield Figure(
            analysis.id,
            f"{analysis.id}/forest{suffix}",
            analysis_forest(analysis, measure, rows, found, aside, configuration, say, judged),
        )
        for modifier in analysis.effect_modifiers:
            shown = _shown(modifier, rows, found)
            if shown is not None:
                yield Figure(
                    analysis.id,
                    f"{analysis.id}/forest{suffix}_by_{modifier.factor}",
                    modifier_forest(analysis, modifier, measure, shown, found, aside,
                                    configuration, say, judged),
                )  # fmt: skip


def _shown(
    modifier: EffectModifier, trials: pd.DataFrame, estimates: pd.DataFrame
) -> pd.DataFrame | None:
    """Trials by the levels of a factor, where the factor has been pooled at all."""
    levels = [f"{modifier.factor}={level}" for level in modifier.levels]
    if not estimates["subgroup"].str.startswith(tuple(levels)).any():
        return None
    return trials[trials["subgroup"].isin(levels)]


def _rate_figures(
    analysis: RateAnalysis,
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    configuration: Configuration,
    say: Labels,
) -> Iterator[Figure]:
    own = rates[rates["analysis"] == analysis.id]
    found = estimates[estimates["analysis"] == analysis.id]
    groupings = {"": ALL} | {
        f"_by_{m.factor}": {f"{m.factor}={level}": f"{m.label.lower()} {level}"
                            for level in m.levels}
        for m in analysis.effect_modifiers
    }  # fmt: skip
    for suffix, subgroups in groupings.items():
        overview = rate_overview(analysis, own, found, subgroups, configuration, say)
        yield Figure(analysis.id, f"{analysis.id}/forest{suffix}", overview)
        for label, block in own.groupby("regimen_label", sort=False):
            inside = block[block["subgroup"].isin(list(subgroups))]
            if inside["trial_id"].nunique() < 2:
                continue
            mine = found[found["experimental"] == label]
            forest = rate_forest(analysis, str(label), inside, mine, subgroups, configuration, say)
            stem = f"{analysis.id}/{slug(str(label))}/forest{suffix}"
            yield Figure(analysis.id, stem, forest)


def slug(text: str) -> str:
    """A file name made of a label: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
