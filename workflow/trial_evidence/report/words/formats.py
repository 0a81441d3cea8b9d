"""Formats of printed columns: each makes the text of a cell from a row and given column names.

A column is declared as its heading, the name of a format, and the arguments of the format:
``[Ratio, effect, ratio]``. Tables of the report and of the page share them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trial_evidence.files import Record
from trial_evidence.measures import measure_words
from trial_evidence.report.words import reading
from trial_evidence.words import models, printed
from trial_evidence.words.numbers import round_half_up

Format = Callable[..., Any]
Column = Sequence[Any]
# Absolute effects are printed per so many patients; these columns hold the difference as a share.
PER = 1000
DIFFERENCES = ("difference", "difference_low", "difference_high")
ROLES = {"lead": " (main model)", "co-primary": " (co-primary)"}


def cell(formats: Mapping[str, Format], row: Record, column: Column) -> Any:
    """The text of a row in a column."""
    _, name, *read = column
    return formats[name](row, *read)


def effect(row: Record, value: str = "estimate", limits: str = "ci", digits: int = 2) -> str:
    """An estimate with its interval, if it has one: ``1.46 (1.25–1.70)``."""
    low, high = row[f"{limits}_low"], row[f"{limits}_high"]
    return printed.with_interval(row[value], low, high, digits=digits)


def per_thousand(share: float) -> str:
    """A proportion as a number of patients per 1,000."""
    return round_half_up(PER * share, 0)


def change(row: Record) -> str:
    """The difference per 1,000 patients, with its interval; ``""`` if it is missing."""
    if row["difference"] is None:
        return ""
    return printed.with_interval(*(PER * row[column] for column in DIFFERENCES), digits=0)


def _p(row: Record, key: str = "p_value") -> str:
    """A p value without ``p``, which the heading says: ``0.03``, ``< 0.001``."""
    return printed.p_value(row[key]).removeprefix("p ").removeprefix("= ")


def _percent(row: Record, key: str, digits: int = 0) -> str:
    """A number already in percent; :func:`.printed.percent` is for proportions."""
    shown = printed.number(row[key], digits)
    return shown and f"{shown}%"


def _text(row: Record, *keys: str, between: str = " ") -> str:
    return between.join(filter(None, (str(row[key]) for key in keys)))


def _population(row: Record) -> str:
    regimen = row["experimental"] if row["measure"] == "proportion" else ""
    return ", ".join(filter(None, (regimen, printed.patients_in_words(row["subgroup"]))))


def _model(row: Record) -> str:
    name = models.SHORT_MODEL_NAMES.get(row["model"], printed.words(row["model"]))
    return name if row["model"] == "single_trial" else name + ROLES.get(row.get("role", ""), "")


def _q(row: Record) -> str:
    value = printed.number(row["q"])
    return f"{value} ({printed.count(row['q_df'])}, {_p(row, 'q_p')})" if value else ""


def _counts(row: Record) -> str:
    if row["hr"]:
        return f"HR {effect(row, 'hr')}"
    return f"{printed.count(row['events'])}/{printed.count(row['n'])}"


FORMATS: Mapping[str, Format] = {
    "text": _text,
    "words": lambda row, *keys: printed.words(_text(row, *keys)),
    "joined": lambda row, between, *keys: _text(row, *keys, between=between),
    "capital": lambda row, key: printed.capital(row[key]),
    "marked": lambda row, before, key: f"{before} {row[key]}",
    "number": lambda row, key, digits=2: printed.number(row[key], digits),
    "whole": lambda row, key: printed.count(row[key]),
    "percent": _percent,
    "per": lambda row, key: "" if row[key] is None else per_thousand(row[key]),
    "change": change,
    "share": lambda row, key: printed.percent(row[key]),
    "probability": lambda row, key: printed.probability(row[key]),
    "shares": lambda row, *keys: " and ".join(printed.percent(row[key]) for key in keys),
    "p": _p,
    "interval": reading.limits,
    "result": reading.estimate_words,
    "model_name": reading.model_words,
    "method": lambda row, key: models.METHOD_NAMES.get(row[key], printed.words(row[key])),
    "prediction_name": lambda row, key: models.PREDICTION_WORDS.get(row[key], ""),
    "interval_name": lambda row, key: models.INTERVAL_WORDS[row[key]][1] if row[key] else "",
    "year": lambda row, key: printed.whole(row[key]),
    "group": lambda row, key: printed.of_whom(row[key]),
    "sentence": lambda row, key: printed.capital(printed.words(row[key])),
    "stated": lambda row, key: printed.stated(row[key]),
    "stated_number": lambda row, key: printed.stated(printed.count(row[key])),
    "effect": effect,
    "effects": lambda row, key: "Common effect" if row[key] == "common" else "Random effects",
    "measure": lambda row: measure_words(row["measure"]),
    "population": _population,
    "model": _model,
    "q": _q,
    "counts": _counts,
    "place": lambda row: f"{row['table']}.csv row {row['row']}" if row["row"] else "",
}
