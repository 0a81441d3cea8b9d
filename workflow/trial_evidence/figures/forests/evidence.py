"""From evidence to rows: what all forest plots of trials share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from operator import itemgetter
from typing import Any, Generic, TypeVar

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.looks import ENGLISH_LABELS, Labels
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import PHRASES, Judgement, Phrases
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.figures.forests.scales import READINGS, Reading
from trial_evidence.files import records
from trial_evidence.words.models import MODEL_NAMES
from trial_evidence.words.numbers import round_half_up

NOTHING_POOLED = "\N{EN DASH}"
Record = Mapping[str, Any]
"""A row of a table."""
Judgements = Mapping[tuple[str, str], tuple[Judgement, ...]]
"""Judgements of the domains and overall, by trial id and outcome."""
# Estimate and interval in the tables of trials and of estimates.
OF_TRIAL = ("estimate", "estimate_low", "estimate_high")
POOLED = ("estimate", "ci_low", "ci_high")
AnyAnalysis = TypeVar("AnyAnalysis", Analysis, RateAnalysis)
_ORDERS: Mapping[str, tuple[list[str], list[bool]]] = {
    "year": (["year", "trial"], [True, True]),
    "effect": (["yi", "trial"], [True, True]),
    "weight": (["weight", "trial"], [False, True]),
    "name": (["trial"], [True]),
    "precision": (["vi", "trial"], [True, True]),
}


@dataclass(frozen=True)
class Evidence(Generic[AnyAnalysis]):
    """What the forest plots of an analysis by one of its measures are made from.

    Parameters
    ----------
    analysis
        The analysis.
    measure
        One of its measures; of rates, ``proportion``.
    trials
        Its trials with their own results and weights, by this measure.
    estimates, set_aside
        Its estimates by this measure, and its rows set aside.
    configuration
        For the level of the intervals, the models, and the orders of preference.
    say
        The words to print.
    judgements
        Risk-of-bias judgements; a column shows those of the trials' own outcomes.
    """

    analysis: AnyAnalysis
    measure: str
    trials: pd.DataFrame
    estimates: pd.DataFrame
    set_aside: pd.DataFrame
    configuration: Configuration
    say: Labels = ENGLISH_LABELS
    judgements: Judgements = field(default_factory=dict)

    @property
    def reading(self) -> Reading:
        """How the measure is drawn and printed."""
        return READINGS[self.measure]

    @property
    def title(self) -> str:
        """Heading of the analysis's figures."""
        return self.analysis.figure.title or self.analysis.title

    @property
    def level(self) -> str:
        """Confidence level of the intervals in percent."""
        return self.say.numbers(f"{self.configuration.confidence_level:g}")

    def of(self, subgroup: str) -> pd.DataFrame:
        """Estimates of a subgroup by all models."""
        found = self.estimates
        return found[(found["subgroup"] == subgroup) & (found["model"] != "subgroup_difference")]

    def lead(self, subgroup: str) -> Record | None:
        """The leading estimate of a subgroup."""
        return with_role(self.of(subgroup), "lead")

    def pooled(self, subgroup: str) -> Record | None:
        """The leading estimate of a subgroup, where more than one trial is behind it."""
        lead = self.lead(subgroup)
        return None if lead is None or lead["model"] == "single_trial" else lead

    def printed(self, values: Iterable[float]) -> str:
        """Estimate and interval as printed."""
        return self.say.numbers(self.reading.result(*values))

    def row(self, kind: RowKind, texts: Mapping[str, str], values: Iterable[float]) -> Row:
        """A row with the places of estimate and limits, which are given as printed."""
        estimate, low, high = map(self.reading.to_analysis, values)
        return Row(kind, texts, estimate, low, high)

    def share(self, weight: float) -> str:
        """A weight in percent as printed."""
        return NOTHING_POOLED if isnan(weight) else self.say.numbers(round_half_up(weight, 1))

    def forest(
        self, title: str, cells: Sequence["Cells"], rows: Sequence[Row], axis: Axis, **more: Any
    ) -> Forest:
        """The plot of rows, with what it says of itself in words of the language."""
        say, columns = self.say, tuple(found.column for found in cells)
        words = Phrases(*map(say, (PHRASES.in_full, PHRASES.not_labelled, PHRASES.left_out)))
        return Forest(title, columns, tuple(rows), axis, phrases=words, **more)


def _empty(*_: object) -> str:
    return ""


@dataclass(frozen=True)
class Cells:
    """A column, its text in the row of a trial, and in that of a pool of trials."""

    column: Column
    trial: Callable[[Record], str]
    pool: Callable[[Record, pd.DataFrame], str] = _empty


def chosen(cells: Sequence[Cells], wanted: Sequence[str] | None) -> tuple[Cells, ...]:
    """The columns asked for, or all; trial and result always."""
    if wanted is None:
        return tuple(cells)
    # the events of one arm are of no use without the other's
    parts = {"experimental": "counts", "control_counts": "counts"}
    kept = {"trial", "result", *wanted}
    return tuple(c for c in cells if parts.get(c.column.key, c.column.key) in kept)


def result_cells(evidence: Evidence[Any], header: str) -> Cells:
    """The column of estimates with their intervals."""

    def of_trial(record: Record) -> str:
        values = itemgetter(*OF_TRIAL)(record)
        return evidence.say("not estimable") if isnan(values[0]) else evidence.printed(values)

    def of_pool(record: Record, _: pd.DataFrame) -> str:
        return evidence.printed(itemgetter(*POOLED)(record))

    return Cells(Column("result", header, "right", "right"), of_trial, of_pool)


def weight_cells(evidence: Evidence[Any]) -> Cells:
    """The column of weights."""
    return Cells(
        Column("weight", evidence.say("Weight\n(%)"), "right", "right", 1),
        lambda record: evidence.share(record["weight"]),
        lambda _, group: evidence.share(float(group.loc[group["pooled"] == "yes", "weight"].sum())),
    )


def trial_rows(
    evidence: Evidence[Any], group: pd.DataFrame, cells: Sequence[Cells]
) -> Iterator[Row]:
    """One row a trial, pooled or only shown, in the order that the figure asks for."""
    by, ascending = _ORDERS[evidence.analysis.figure.order]
    ordered = group.sort_values(by, ascending=ascending, kind="stable", na_position="last")
    for record in records(ordered):
        texts = {found.column.key: found.trial(record) for found in cells}
        kind: RowKind = "trial" if record["pooled"] == "yes" else "unpooled"
        row = evidence.row(kind, texts, itemgetter(*OF_TRIAL)(record))
        yield replace(row, weight=record["weight"], lights=lights(evidence, record))


def pooled_rows(
    evidence: Evidence[Any],
    subgroup: str,
    kind: RowKind,
    group: pd.DataFrame,
    cells: Sequence[Cells],
) -> Iterator[Row]:
    """The leading result of a group, its co-primary, and the prediction interval."""
    say, lead = evidence.say, evidence.pooled(subgroup)
    if lead is None:
        return
    texts = {found.column.key: found.pool(lead, group) for found in cells}
    name = say("All trials" if kind == "overall" else "Subtotal")
    texts["trial"] = f"{name} ({_state(lead, say)})"
    yield evidence.row(kind, texts, itemgetter(*POOLED)(lead))
    second = with_role(evidence.of(subgroup), "co-primary")
    if second is not None:
        values = itemgetter(*POOLED)(second)
        texts = {"trial": say(MODEL_NAMES[second["model"]]), "result": evidence.printed(values)}
        yield evidence.row("secondary", texts, values)
    if not isnan(lead["pi_low"]):
        ends = lead["pi_low"], lead["pi_high"]
        texts = {
            "trial": say("{level}% prediction interval", level=evidence.level),
            "result": say.numbers(f"({evidence.reading.interval(*ends)})"),
        }
        yield evidence.row("prediction", texts, (nan, *ends))


def headed(rows: Sequence[Row], heading: str) -> Iterable[Row]:
    """A heading, and a gap before it where rows come before."""
    return [*gap(rows), Row("heading", {"trial": heading})]


def gap(rows: Sequence[Row]) -> Iterable[Row]:
    """Half a row of nothing, where rows come before."""
    return [Row("gap")] if rows else []


def lights(evidence: Evidence[Any], record: Record) -> tuple[Judgement, ...]:
    """Judgements on the risk of bias of the trial's own outcome; none of rates."""
    key = str(record["trial_id"]), str(record.get("outcome", ""))
    return evidence.judgements.get(key, ())


def with_role(found: pd.DataFrame, role: str) -> Record | None:
    """The estimate with a role; None where there is none."""
    rows = records(found[found["role"] == role])
    return rows[0] if rows else None


def trial_year(record: Record) -> str:
    """Name of a trial with the year of its report."""
    year = record["year"]
    return str(record["trial"]) if isnan(year) else f"{record['trial']} ({year:.0f})"


def _state(lead: Record, say: Labels) -> str:
    k = f"k = {lead['k']:.0f}"
    if lead["model"] == "bayesian":
        return f"{k}; {say('Bayesian')}"
    tau2, i2 = round_half_up(lead["tau2"], 3), round_half_up(lead["i2"], 0)
    return say.numbers(f"{k}; I² = {i2}%; τ² = {tau2}")
