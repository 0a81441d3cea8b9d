"""The whole answer on one page: every analysis with its leading estimate."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.files import records
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, round_half_up


def lead_estimates(estimates: pd.DataFrame) -> pd.DataFrame:
    """The estimates a reader sees first: leading and co-primary models of every pool.

    Parameters
    ----------
    estimates : DataFrame
        Columns of ``results/estimates.csv``.
    """
    return estimates[estimates["role"].isin(["lead", "co-primary"])]


def at_a_glance(
    estimates: pd.DataFrame,
    figures: pd.DataFrame,
    names: Mapping[str, str],
    configuration: Configuration,
) -> str:
    """The page in Markdown: a table a setting, a row an analysis and effect modifier level.

    Parameters
    ----------
    estimates : DataFrame
        Columns of ``results/estimates.csv``, all settings.
    figures : DataFrame
        ``setting``, ``analysis``, ``figure`` (stem below results/<setting>), all settings.
    names : mapping
        trial_id -> name of the trial.
    configuration : Configuration

    Returns
    -------
    str
    """
    parts = [
        "# At a glance",
        "",
        "Leading estimate of every analysis (co-primary in a second line); ratios above 1 favour "
        "the first-named arm for response, ratios below 1 for hazards. PI: 95% prediction "
        "interval. Every model and subgroup: [estimates.csv](estimates.csv).",
    ]
    lead = lead_estimates(estimates)
    for setting, name in configuration.settings.items():
        parts += ["", f"## {name}", ""]
        parts += _comparisons(setting, lead, estimates, figures, names, configuration)
        parts += _rates(setting, lead, configuration)
    return "\n".join(parts) + "\n"


def summary_lines(estimates: pd.DataFrame, configuration: Configuration) -> str:
    """A line an analysis: k, leading estimate, interval, and where its figures are.

    Parameters
    ----------
    estimates : DataFrame
        Columns of ``results/estimates.csv``, all settings.
    configuration : Configuration

    Returns
    -------
    str
    """
    lead = estimates[estimates["role"] == "lead"]
    lines: list[str] = []
    for setting, name in configuration.settings.items():
        lines.append(f"\n{name}")
        for analysis in configuration.of_setting(setting):
            rows = lead[
                (lead["setting"] == setting)
                & (lead["analysis"] == analysis.id)
                & (lead["measure"] == analysis.measures[0])
            ]
            folder = f"results/{setting}/{analysis.id}/"
            lines += [f"  {text:<76} {folder}" for text in _summary(analysis, rows)]
        for rates in configuration.rates_of_setting(setting):
            rows = lead[(lead["setting"] == setting) & (lead["analysis"] == rates.id)]
            k = rows.loc[rows["subgroup"] == "all"]
            lines.append(f"  {f'{rates.id}: {len(k)} regimens':<76} results/{setting}/{rates.id}/")
    lines.append("\nOn one page: results/at-a-glance.md. Every number: results/estimates.csv.")
    return "\n".join(lines).lstrip("\n") + "\n"


def _summary(analysis: Analysis, rows: pd.DataFrame) -> Iterator[str]:
    overall = records(rows[rows["subgroup"] == "all"])
    if overall:
        yield f"{analysis.id}: k = {overall[0]['k']:.0f}, {_estimate(overall[0])}"
        return
    single = rows[rows["subgroup"].str.startswith("trial=")]
    pooled = rows[rows["subgroup"].str.startswith(f"{analysis.subgroups}=")]
    shown = pooled if analysis.pool == "within_subgroups" else single
    for record in records(shown):
        where = record["subgroup"].partition("=")[2].replace("_", " ")
        yield f"{analysis.id}, {where}: k = {record['k']:.0f}, {_estimate(record)}"
    if shown.empty:
        yield f"{analysis.id}: no trial qualifies"


def _comparisons(
    setting: str,
    lead: pd.DataFrame,
    estimates: pd.DataFrame,
    figures: pd.DataFrame,
    names: Mapping[str, str],
    configuration: Configuration,
) -> Iterator[str]:
    yield "| Analysis | Of whom | k | Patients | Estimate (95% interval) | PI | Model | Figure |"
    yield "| --- | --- | ---: | ---: | --- | --- | --- | --- |"
    for analysis in configuration.of_setting(setting):
        mine = lead[(lead["setting"] == setting) & (lead["analysis"] == analysis.id)]
        rows = mine[mine["measure"].str.endswith(analysis.measures[0])
                    | mine["measure"].str.endswith(f"of_{analysis.measures[0]}s")]  # fmt: skip
        drawn = figures[(figures["setting"] == setting) & (figures["analysis"] == analysis.id)]
        links = " ".join(
            f"[{_figure_name(stem)}]({setting}/{stem}.svg)" for stem in drawn["figure"]
        )
        if rows.empty:
            yield f"| {_cell(analysis.title)} | | 0 | | no trial qualifies | | | {links} |"
        for position, record in enumerate(records(rows)):
            first = position == 0
            yield (
                f"| {_cell(analysis.title) if first else ''} | {_of_whom(record, names)} | "
                f"{record['k']:.0f} | {_count(record['participants'])} | {_named(record)} | "
                f"{_prediction(record)} | {SHORT_MODEL_NAMES.get(record['model'], '')} | "
                f"{links if first else ''} |"
            )
        yield from _tests(setting, analysis, estimates)


def _tests(setting: str, analysis: Analysis, estimates: pd.DataFrame) -> Iterator[str]:
    found = estimates[
        (estimates["setting"] == setting)
        & (estimates["analysis"] == analysis.id)
        & (estimates["measure"] == analysis.measures[0])
        & (estimates["model"] == "subgroup_difference")
    ]
    for record in records(found):
        p_value = record["p_value"]
        shown = "" if math.isnan(p_value) else f", p = {round_half_up(p_value, 3)}"
        text = f"{record['remark'].partition(';')[0]}{shown}"
        factor = _words(record["subgroup"])
        yield f"| | test: {factor} | {record['k']:.0f} | | {_cell(text)} | | | |"


def _rates(setting: str, lead: pd.DataFrame, configuration: Configuration) -> Iterator[str]:
    for analysis in configuration.rates_of_setting(setting):
        rows = lead[
            (lead["setting"] == setting)
            & (lead["analysis"] == analysis.id)
            & (lead["role"] == "lead")
        ]
        yield ""
        yield f"{analysis.title} ([figure]({setting}/{analysis.id}/forest.svg))"
        yield ""
        yield "| Regimen | Of whom | Trials | Patients | Rate, % (95% interval) | PI |"
        yield "| --- | --- | ---: | ---: | --- | --- |"
        for record in records(rows):
            values = [100 * record[c] for c in ("estimate", "ci_low", "ci_high")]
            interval = [100 * record[c] for c in ("pi_low", "pi_high")]
            prediction = (
                "" if math.isnan(interval[0]) else format_interval(interval[0], interval[1], 0)
            )
            yield (
                f"| {_cell(record['experimental'])} | {_words(record['subgroup'])} | "
                f"{record['k']:.0f} | {_count(record['participants'])} | "
                f"{round_half_up(values[0], 0)} ({format_interval(values[1], values[2], 0)}) | "
                f"{prediction} |"
            )


def _estimate(record: Mapping[str, Any]) -> str:
    interval = format_interval(record["ci_low"], record["ci_high"])
    name = MEASURE_NAMES.get(record["measure"], "")
    short = "".join(word[0] for word in name.split()).upper()
    return f"{short} {format_number(record['estimate'])} ({interval})"


def _named(record: Mapping[str, Any]) -> str:
    interval = format_interval(record["ci_low"], record["ci_high"])
    name = MEASURE_NAMES.get(record["measure"], _words(record["measure"]))
    return f"{name} {format_number(record['estimate'])} ({interval})"


def _prediction(record: Mapping[str, Any]) -> str:
    if math.isnan(record["pi_low"]):
        return ""
    return format_interval(record["pi_low"], record["pi_high"])


def _of_whom(record: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The subgroup in words; for a comparison inside trials, what is compared."""
    if "_of_" in record["measure"]:
        return _cell(str(record["remark"]))
    subgroup, found, trial = str(record["subgroup"]).rpartition("trial=")
    if not found:
        return _words(str(record["subgroup"]))
    patients = _words(subgroup.removesuffix(" & "))
    return ", ".join(filter(None, [_cell(names.get(trial, trial)), patients]))


def _words(text: str) -> str:
    return _cell(text.replace("_", " ").replace("=", ": "))


def _count(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.0f}"


def _figure_name(stem: str) -> str:
    return stem.rpartition("/")[2].replace("_", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
