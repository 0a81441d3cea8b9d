"""The figures stage: every forest plot of one setting, and a list of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.looks import FigureConfiguration
from trial_evidence.figures.canvas.chart import Judgement
from trial_evidence.figures.canvas.publishing import LISTING, listing_of, publish
from trial_evidence.figures.canvas.style import style_for
from trial_evidence.figures.forests.comparisons import analysis_forest, harm_forest, modifier_forest
from trial_evidence.figures.forests.evidence import Evidence, Judgements
from trial_evidence.figures.forests.forest import Forest
from trial_evidence.figures.forests.layout import layout
from trial_evidence.figures.forests.rates import rate_forest, rate_overview
from trial_evidence.files import read_table, records, where, write_table
from trial_evidence.measures import MEASURES
from trial_evidence.pool.columns import ESTIMATE_NUMBERS, POOLED_RATE_NUMBERS, TRIAL_NUMBERS
from trial_evidence.pool.shown import shown_estimates
from trial_evidence.sheet import Sheet
from trial_evidence.words.printed import lower_first

ALL = {"all": "all patients"}
DOMAINS = (
    "d1_randomisation", "d2_deviations", "d3_missing", "d4_measurement", "d5_selection", "overall",
)  # fmt: skip


def write_figures(
    configuration: Configuration,
    looks: FigureConfiguration,
    sheet: Sheet,
    setting: str,
    processed: Path,
    results: Path,
    unlike: Mapping[str, str],
    processes: int = 1,
) -> set[str]:
    """Draw every forest plot of a setting and list them in ``figures.csv``.

    Figures of an earlier run that the data no longer support are removed.

    Parameters
    ----------
    configuration, setting
    looks
        Holds the labels in every language.
    sheet
        Provides the risk-of-bias judgements.
    processed, results
        Folders with the output of earlier stages, and for the figures.
    unlike
        How arms differ from others with the same agents and partner, by arm id.
    processes
        Number of processes that draw.

    Returns
    -------
    set of str
        The analyses with a figure that was missing or out of date.
    """
    folder = results / setting
    forests = setting_forests(configuration, looks, sheet, setting, processed, results, unlike)
    style = style_for(configuration.figures.width_mm)
    pages = {stem: layout(forest, style) for stem, forest in forests.items()}
    listed = {(setting, stem.partition("/")[0], stem): page for stem, page in pages.items()}
    own = {f"{analysis}/**/forest*" for _, analysis, _ in listed}
    drawn = publish(pages, folder, configuration.figures.formats, processes, own=sorted(own))
    write_table(folder / LISTING, listing_of(listed))
    return {stem.partition("/")[0] for stem in drawn}


def setting_forests(
    configuration: Configuration,
    looks: FigureConfiguration,
    sheet: Sheet,
    setting: str,
    processed: Path,
    results: Path,
    unlike: Mapping[str, str],
) -> dict[str, Forest]:
    """Every forest plot of a setting by ``<analysis>/<figure>``; see `write_figures`."""
    folder = results / setting
    judged = judgements(sheet)
    estimates = shown_estimates(
        read_table(folder / "estimates.csv", ESTIMATE_NUMBERS), configuration.pooling
    )
    trials = read_table(folder / "trials.csv", TRIAL_NUMBERS)
    rates = read_table(folder / "rates.csv", POOLED_RATE_NUMBERS)
    set_aside = read_table(processed / setting / "set_aside.csv", [])
    forests: dict[str, Forest] = {}
    harms: dict[str, list[Evidence[Analysis]]] = {}
    for entry in configuration.of_setting(setting):
        tables = trials, estimates, set_aside
        own, found, aside = (where(table, analysis=entry.id) for table in tables)
        say, configured = looks.languages[entry.figure.language], configuration.own(entry)
        for name in entry.measures:
            shown = where(own, measure=name)
            pooled = found[found["measure"].str.endswith((name, f"of_{name}s"))]
            evidence = Evidence(
                entry, MEASURES[name], shown, pooled, aside, configured, say, judged
            )
            if entry.harm:
                harms.setdefault(stem_of(entry, name), []).append(evidence)
            else:
                forests |= _of_comparison(evidence)
    for rated in configuration.rates_of_setting(setting):
        tables = rates, estimates, set_aside
        own, found, aside = (where(table, analysis=rated.id) for table in tables)
        say, proportion = looks.languages[rated.figure.language], MEASURES["proportion"]
        forests |= _of_rates(
            Evidence(rated, proportion, own, found, aside, configuration, say, unlike=unlike)
        )
    label = configuration.settings[setting]
    for stem, parts in harms.items():
        say = parts[0].say
        named = say.texts.get(label, lower_first(label))
        title = say("Harms of a second agent: {setting}", setting=named)
        forests[stem] = harm_forest(title, parts)
    return forests


def stem_of(analysis: Analysis, measure: str) -> str:
    """Path of an analysis's forest plot for one of its measures, without suffix."""
    return f"{analysis.folder}/forest" + ("" if measure == analysis.measures[0] else f"_{measure}")


def judgements(sheet: Sheet) -> Judgements:
    """Risk-of-bias judgements by trial id and outcome: the five domains, then overall."""
    known: dict[str, Judgement] = {"low": "low", "some_concerns": "some_concerns", "high": "high"}
    return {
        (record["trial_id"], record["outcome"]): tuple(known[record[name]] for name in DOMAINS)
        for record in records(sheet["risk_of_bias"])
    }


def _of_comparison(evidence: Evidence[Analysis]) -> Iterator[tuple[str, Forest]]:
    analysis = evidence.analysis
    stem = stem_of(analysis, evidence.measure.name)
    yield stem, analysis_forest(evidence)
    for modifier in analysis.effect_modifiers:
        # only if the factor has been pooled at all
        if evidence.estimates["subgroup"].str.startswith(modifier.subgroups).any():
            yield f"{stem}_by_{modifier.factor}", modifier_forest(evidence, modifier)


def _of_rates(evidence: Evidence[RateAnalysis]) -> Iterator[tuple[str, Forest]]:
    analysis, rates, estimates = evidence.analysis, evidence.trials, evidence.estimates
    groupings = {"": ALL} | {
        f"_by_{m.factor}": {f"{m.factor}={level}": f"{m.label.lower()} {level}"
                            for level in m.levels}
        for m in analysis.effect_modifiers
    }  # fmt: skip
    for suffix, subgroups in groupings.items():
        yield f"{analysis.id}/forest{suffix}", rate_overview(evidence, subgroups)
        inside = rates[rates["subgroup"].isin(subgroups)]
        for regimen, block in inside.groupby("regimen_label", sort=False):
            if block["trial_id"].nunique() > 1:
                mine = estimates[estimates["experimental"] == regimen]
                own = replace(evidence, trials=block, estimates=mine)
                stem = f"{analysis.id}/{slug(str(regimen))}/forest{suffix}"
                yield stem, rate_forest(own, str(regimen), subgroups)


def slug(text: str) -> str:
    """A file name made from a label: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
