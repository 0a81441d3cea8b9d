"""The whole answer on one page: every analysis with its leading estimate."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.files import records
from trial_evidence.report.material import reading
from trial_evidence.report.material.material import where
from trial_evidence.report.material.printed import of_whom, whole, words
from trial_evidence.report.material.table import Column, Row, markdown
from trial_evidence.words.models import MEASURE_NAMES, SHORT_MODEL_NAMES
from trial_evidence.words.numbers import format_interval, format_number, format_p, round_half_up

NUMERIC = ("k", "Trials", "Patients")
PATIENTS = Column("Patients", "participants", whole)
COMPARISONS = (
    Column("Analysis", "title"),
    Column("Population", "who"),
    Column("k", "k", whole),
    PATIENTS,
    Column("Estimate (interval)", "result"),
    Column("PI", text=lambda row: reading.limits(row, "pi")),
    Column("Model", "model", lambda model: SHORT_MODEL_NAMES.get(model, "")),
    Column("Figure", "links"),
)
RATES = (
    Column("Regimen", "experimental"),
    Column("Population", "subgroup", of_whom),
    Column("Trials", "k", whole),
    PATIENTS,
    Column(
        "Rate, % (interval)",
        text=lambda row: f"{round_half_up(100 * row['estimate'], 0)} ({_in_percent(row, 'ci')})",
    ),
    Column("PI", text=lambda row: _in_percent(row, "pi")),
)


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
    """
    level = configuration.confidence_level
    parts = [
        "# At a glance",
        "",
        f"Leading estimate of every analysis (co-primary in a second line) with its {level:g}% "
        f"interval. PI: {level:g}% prediction interval. Every model and subgroup: "
        "[estimates.csv](estimates.csv).",
    ]
    for setting, name in configuration.settings.items():
        rows = [
            row
            for analysis in configuration.of_setting(setting)
            for row in _comparison(
                analysis, of_pool(estimates, analysis), of_pool(figures, analysis), names
            )
        ]
        parts += ["", f"## {name}", "", *markdown(rows, COMPARISONS, NUMERIC)]
        for rates in configuration.rates_of_setting(setting):
            lead = records(where(of_pool(estimates, rates), role="lead"))
            link = f"[figure]({setting}/{rates.id}/forest.svg)"
            parts += ["", f"{rates.title} ({link})", "", *markdown(lead, RATES, NUMERIC)]
    return "\n".join(parts) + "\n"


def summary_lines(estimates: pd.DataFrame, configuration: Configuration) -> str:
    """A line an analysis: k, leading estimate, interval, and where its figures are.

    `estimates` has the columns of ``results/estimates.csv``, all settings.
    """
    lead = where(estimates, role="lead")
    lines: list[str] = []
    for setting, name in configuration.settings.items():
        lines.append(f"\n{name}")
        for analysis in configuration.of_setting(setting):
            rows = where(of_pool(lead, analysis), measure=analysis.measures[0])
            folder = f"results/{setting}/{analysis.id}/"
            lines += [f"  {text:<76} {folder}" for text in _summary(analysis, rows)]
        for rates in configuration.rates_of_setting(setting):
            k = len(where(of_pool(lead, rates), subgroup="all"))
            lines.append(f"  {f'{rates.id}: {k} regimens':<76} results/{setting}/{rates.id}/")
    lines.append("\nOn one page: results/at-a-glance.md. Every number: results/estimates.csv.")
    return "\n".join(lines).lstrip("\n") + "\n"


def _summary(analysis: Analysis, rows: pd.DataFrame) -> Iterator[str]:
    start = f"{analysis.subgroups}=" if analysis.pool == "within_subgroups" else "trial="
    overall = where(rows, subgroup="all")
    shown = rows[rows["subgroup"].str.startswith(start)] if overall.empty else overall[:1]
    for record in records(shown):
        level = words(record["subgroup"].partition("=")[2])
        name = "".join(word[0] for word in _measure(record).split()).upper()
        numbers = f"k = {record['k']:.0f}, {name} {_numbers(record)}"
        yield f"{', '.join(filter(None, [analysis.id, level]))}: {numbers}"
    if shown.empty:
        yield f"{analysis.id}: no trial qualifies"


def of_pool(table: pd.DataFrame, analysis: Analysis | RateAnalysis) -> pd.DataFrame:
    """Rows of a table about an analysis or a pool of rates."""
    return where(table, setting=analysis.setting, analysis=analysis.id)


def _comparison(
    analysis: Analysis, estimates: pd.DataFrame, figures: pd.DataFrame, names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The rows of an analysis: estimates of all and of some patients, then tests of groups."""
    measure = analysis.measures[0]
    mine = estimates[estimates["measure"].str.endswith((measure, f"of_{measure}s"))]
    links = " ".join(
        f"[{words(stem.rpartition('/')[2])}]({analysis.setting}/{stem}.svg)"
        for stem in figures["figure"]
    )
    empty = {"who": "", "k": 0.0, "participants": math.nan, "result": "no trial qualifies",
             "pi_low": math.nan, "pi_high": math.nan, "model": ""}  # fmt: skip
    rows = [
        row | {"who": _of_whom(row, names), "result": f"{_measure(row)} {_numbers(row)}"}
        for row in records(mine[mine["role"].isin(["lead", "co-primary"])])
    ] or [empty]
    for row in rows:
        first = row is rows[0]
        yield row | {"title": analysis.title if first else "", "links": links if first else ""}
    for row in records(where(mine, measure=measure, model="subgroup_difference")):
        p_value = row["p_value"]
        p_shown = "" if math.isnan(p_value) else f", {format_p(p_value)}"
        result = f"{row['remark'].partition(';')[0]}{p_shown}"
        who = f"test: {of_whom(row['subgroup'])}"
        yield empty | {"title": "", "links": "", "who": who, "k": row["k"], "result": result}


def _measure(row: Row) -> str:
    return MEASURE_NAMES.get(row["measure"], words(row["measure"]))


def _numbers(row: Row) -> str:
    return f"{format_number(row['estimate'])} ({reading.limits(row)})"


def _in_percent(row: Row, of: str) -> str:
    low, high = (100 * row[f"{of}_{end}"] for end in ("low", "high"))
    return "" if math.isnan(low) else format_interval(low, high, 0)


def _of_whom(row: Row, names: Mapping[str, str]) -> str:
    """The subgroup in words; for a comparison inside trials, what is compared."""
    if "_of_" in row["measure"]:
        return str(row["remark"])
    subgroup, found, trial = str(row["subgroup"]).rpartition("trial=")
    if not found:
        return of_whom(subgroup or trial)
    patients = of_whom(subgroup.removesuffix(" & "))
    return ", ".join(filter(None, [names.get(trial, trial), patients]))
