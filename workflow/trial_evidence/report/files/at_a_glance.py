"""The whole answer on one page: every analysis with its leading estimate."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import HARMS, Analysis, Configuration
from trial_evidence.files import Record, records, where
from trial_evidence.measures import MEASURES
from trial_evidence.report.material.material import of_pool
from trial_evidence.report.words.formats import FORMATS, cell, effect
from trial_evidence.report.words.reading import in_percent, model_words
from trial_evidence.report.words.templates import declared, environment
from trial_evidence.words.numbers import round_half_up
from trial_evidence.words.printed import counted, of_whom, p_value, words

NUMERIC = ("k", "Trials", "Patients")
# Of the texts of the summary, so that the folders are below each other.
WIDTH = 80


def at_a_glance(
    estimates: pd.DataFrame,
    figures: pd.DataFrame,
    names: Mapping[str, str],
    configuration: Configuration,
) -> str:
    """The page in Markdown: one table per setting, one row per analysis and subgroup.

    Parameters
    ----------
    estimates : DataFrame
        Columns of ``results/estimates.csv``, all settings.
    figures : DataFrame
        ``setting``, ``analysis``, ``figure`` (stem below results/<setting>), all settings.
    names : mapping
        trial_id -> name of the trial.
    """
    settings = [
        {
            "name": name,
            "rows": [
                row
                for analysis in configuration.of_setting(setting)
                for row in _comparison(
                    analysis,
                    of_pool(estimates, analysis),
                    where(figures, setting=setting, analysis=analysis.folder),
                    names,
                )
                if row["k"] or not analysis.harm
            ],
            "rates": [
                (rates, records(_by_regimen(of_pool(where(estimates, role="lead"), rates))))
                for rates in configuration.rates_of_setting(setting)
            ],
        }
        for setting, name in configuration.settings.items()
    ]
    made = environment(keep_trailing_newline=True)
    made.filters["cell"] = partial(cell, {**FORMATS, "in_percent": in_percent, "rate": _rate})
    return made.get_template("at-a-glance.md.j2").render(
        settings=settings,
        level=f"{configuration.confidence_level:g}%",
        declared=declared("tables"),
        numeric=NUMERIC,
    )


def summary_lines(
    estimates: pd.DataFrame, names: Mapping[str, str], configuration: Configuration
) -> str:
    """One line per analysis: k, leading estimate, interval, and the folder of its figures.

    The result of the co-primary model follows in a line of its own: the two may disagree.
    `estimates` has the columns of ``results/estimates.csv``, all settings; `names` maps the ids of
    trials to their names.
    """
    lines: list[str] = []
    for setting, name in configuration.settings.items():
        lines.append(f"\n{name}")
        lines += [line for _, line in lines_of_setting(estimates, names, configuration, setting)]
    lines.append("\nOn one page: results/at-a-glance.md. Every number: results/estimates.csv.")
    return "\n".join(lines).lstrip("\n") + "\n"


def lines_of_setting(
    estimates: pd.DataFrame, names: Mapping[str, str], configuration: Configuration, setting: str
) -> Iterator[tuple[str, str]]:
    """The lines of one setting: analysis and text."""
    leading = estimates[estimates["role"].isin(["lead", "co-primary"])]
    harms = [analysis for analysis in configuration.of_setting(setting) if analysis.harm]
    for analysis in configuration.of_setting(setting):
        if analysis.harm:
            continue
        rows = where(of_pool(leading, analysis), measure=analysis.measures[0])
        folder = f"results/{setting}/{analysis.id}/"
        for text in _summary(analysis, rows, names):
            yield analysis.id, f"  {text:<{WIDTH}} {folder}"
    if harms:
        ratios = [where(of_pool(leading, harm), measure=harm.measures[0]) for harm in harms]
        text = f"{HARMS}: {counted(sum(not rows.empty for rows in ratios), 'kind')}"
        yield HARMS, f"  {text:<{WIDTH}} results/{setting}/{HARMS}/"
    for rates in configuration.rates_of_setting(setting):
        k = len(where(of_pool(leading, rates), subgroup="all", role="lead"))
        text = f"{rates.id}: {counted(k, 'regimen')}"
        yield rates.id, f"  {text:<{WIDTH}} results/{setting}/{rates.id}/"


def _summary(analysis: Analysis, rows: pd.DataFrame, names: Mapping[str, str]) -> Iterator[str]:
    start = f"{analysis.subgroups}=" if analysis.pool == "within_subgroups" else "trial="
    overall = where(rows, subgroup="all")
    shown = rows[rows["subgroup"].str.startswith(start)] if overall.empty else overall
    for record in records(where(shown, role="lead")):
        _, _, level = record["subgroup"].partition("=")
        level = names.get(level, words(level))
        name = "".join(word[0] for word in _measure(record).split()).upper()
        numbers = f"k = {record['k']:.0f}, {name} {effect(record)}"
        yield f"{', '.join(filter(None, [analysis.id, level]))}: {numbers}"
        other = where(shown, role="co-primary", subgroup=record["subgroup"])
        for second in records(other):
            yield f"  {model_words(second)} (co-primary): {name} {effect(second)}"
    if shown.empty:
        yield f"{analysis.id}: no trial qualifies"


def _comparison(
    analysis: Analysis, estimates: pd.DataFrame, figures: pd.DataFrame, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows of an analysis: estimates in all patients and subgroups, then subgroup tests."""
    measure = analysis.measures[0]
    mine = estimates[estimates["measure"].str.endswith((measure, f"of_{measure}s"))]
    links = " ".join(
        f"[{words(stem.rpartition('/')[2])}]({analysis.setting}/{stem}.svg)"
        for stem in figures["figure"]
    )
    empty = {"who": "", "k": 0.0, "participants": math.nan, "shown": "no trial qualifies",
             "pi_low": math.nan, "pi_high": math.nan, "model": ""}  # fmt: skip
    rows = [
        row | {"who": _of_whom(row, names), "shown": f"{_measure(row)} {effect(row)}"}
        for row in records(mine[mine["role"].isin(["lead", "co-primary"])])
    ] or [empty]
    for row in records(where(mine, measure=measure, model="subgroup_difference")):
        test, _, _ = row["remark"].partition(";")
        result = ", ".join(filter(None, (test, p_value(row["p_value"]))))
        who = f"test: {of_whom(row['subgroup'])}"
        rows.append(empty | {"who": who, "k": row["k"], "shown": result})
    first = {"title": analysis.title, "links": links}
    return [rows[0] | first, *(row | dict.fromkeys(first, "") for row in rows[1:])]


def _measure(row: Record) -> str:
    return MEASURES[row["measure"]].title if row["measure"] in MEASURES else words(row["measure"])


def _by_regimen(rates: pd.DataFrame) -> pd.DataFrame:
    """Rates sorted by first appearance of their regimen, so that its subgroups are together."""
    appeared, _ = pd.factorize(rates["experimental"])
    return rates.iloc[appeared.argsort(kind="stable")]


def _rate(row: Record) -> str:
    return f"{round_half_up(100 * row['estimate'], 0)} ({in_percent(row)})"


def _of_whom(row: Record, names: Mapping[str, str]) -> str:
    """The subgroup in words; for a comparison within trials, what is compared."""
    if "_of_" in row["measure"]:
        return str(row["remark"])
    subgroup, found, trial = str(row["subgroup"]).rpartition("trial=")
    if not found:
        return of_whom(subgroup or trial)
    patients = of_whom(subgroup.removesuffix(" & "))
    return ", ".join(filter(None, [names.get(trial, trial), patients]))
