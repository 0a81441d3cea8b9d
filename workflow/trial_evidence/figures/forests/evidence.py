"""From evidence to rows: shared by all forest plots of trials."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isnan, nan
from operator import itemgetter
from typing import Any, Generic, TypeVar

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration, RateAnalysis
from trial_evidence.config.labels import ENGLISH_LABELS, Labels
from trial_evidence.extract.judged import judged
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.chart import Judgement
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.files import Record, records
from trial_evidence.measures import Measure
from trial_evidence.pool.shown import in_order, interval_remark, own_values
from trial_evidence.words.models import MODEL_NAMES, PRIOR_NAMES, is_bayesian
from trial_evidence.words.numbers import EN_DASH, format_interval, format_number, round_half_up
from trial_evidence.words.printed import lower_first

Judgements = Mapping[tuple[str, str], tuple[Judgement, ...]]
"""Judgements for each domain and overall, by trial id and outcome."""
AnyAnalysis = TypeVar("AnyAnalysis", Analysis, RateAnalysis)
# Estimate and interval in the tables of trials and of estimates.
OF_TRIAL = itemgetter("estimate", "estimate_low", "estimate_high")
POOLED = itemgetter("estimate", "ci_low", "ci_high")


@dataclass(frozen=True)
class Cells:
    """A column, its text in the row of a trial, and its text in the row of a pooled result."""

    column: Column
    trial: Callable[[Record], str] = lambda _: ""
    pool: Callable[[Record, pd.DataFrame], str] = lambda *_: ""


@dataclass(frozen=True)
class Evidence(Generic[AnyAnalysis]):
    """The data behind the forest plots of an analysis for one of its measures.

    Parameters
    ----------
    analysis
        The analysis.
    measure
        One of its measures; for rates, a proportion, printed in percent.
    trials
        Its trials with their own results and weights, for this measure.
    estimates, set_aside
        Its estimates for this measure, and its rows that were set aside.
    configuration
        Provides the confidence level, the models and the orders of preference.
    say
        The labels to print.
    judgements
        Risk-of-bias judgements, shown in a column as they count for the certainty.
    unlike
        How arms differ from others with the same agents and partner, by arm id.
    """

    analysis: AnyAnalysis
    measure: Measure
    trials: pd.DataFrame
    estimates: pd.DataFrame
    set_aside: pd.DataFrame
    configuration: Configuration
    say: Labels = ENGLISH_LABELS
    judgements: Judgements = field(default_factory=dict)
    unlike: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Heading of the analysis's figures for this measure."""
        return self.by_measure(self.analysis.figure.title or self.analysis.title)

    def by_measure(self, title: str) -> str:
        """A heading that names the measure unless it is the analysis's first.

        Otherwise figures for different measures would be indistinguishable in a list of captions.
        """
        if not isinstance(self.analysis, Analysis):
            return title
        if self.measure.name in self.analysis.measures[:1]:
            return title
        name = self.say(self.measure.title)
        # A translation uses {Measure} if nouns keep their capital within a heading.
        words = "{title}, {measure}"
        return self.say(words, title=title, measure=lower_first(name), Measure=name)

    @property
    def level(self) -> str:
        """Confidence level of the intervals in percent."""
        return self.say.numbers(f"{self.configuration.confidence_level:g}")

    def tell(self, words: str, **parts: str) -> str:
        """A translated sentence, numbers in the language's format, `{level}` filled in."""
        return self.say.numbers(self.say(words, level=self.level, **parts))

    def of(self, subgroup: str) -> pd.DataFrame:
        """Estimates for a subgroup from all models."""
        found = self.estimates
        return found[(found["subgroup"] == subgroup) & (found["model"] != "subgroup_difference")]

    @cached_property
    def _by_role(self) -> Mapping[tuple[str, str], Record]:
        """The first estimate of each subgroup and role; looked up many times for one figure."""
        found = self.estimates[self.estimates["model"] != "subgroup_difference"]
        return {(row["subgroup"], row["role"]): row for row in reversed(records(found))}

    def estimate(self, subgroup: str, role: str = "lead") -> Record | None:
        """The estimate for a subgroup that has a role; None if there is none."""
        return self._by_role.get((subgroup, role))

    def pooled(self, subgroup: str) -> Record | None:
        """The leading estimate for a subgroup; None if it rests on a single trial or is missing."""
        lead = self.estimate(subgroup)
        return None if lead is None or lead["model"] == "single_trial" else lead

    def number(self, value: float) -> str:
        """Format an estimate in English notation."""
        return format_number(self.measure.factor * value, self.measure.digits)

    def interval(self, low: float, high: float) -> str:
        """Format an interval in English notation."""
        factor = self.measure.factor
        return format_interval(factor * low, factor * high, self.measure.digits)

    def printed(self, values: Sequence[float]) -> str:
        """Format an estimate with its interval as in the figure."""
        return self.say.numbers(f"{self.number(values[0])} ({self.interval(*values[1:])})")

    def share(self, weight: float) -> str:
        """Format a weight in percent as in the figure."""
        return EN_DASH if isnan(weight) else self.say.numbers(round_half_up(weight, 1))

    def place(self, value: float) -> float:
        """Convert a printed number to the analysis scale."""
        return float(self.measure.scale.to_analysis(value))

    def row(self, kind: RowKind, texts: Mapping[str, str], values: Iterable[float]) -> Row:
        """A row with an estimate and limits, given in printed units."""
        estimate, low, high = map(self.place, values)
        return Row(kind, texts, estimate, low, high)

    def lights(self, record: Record) -> tuple[Judgement, ...]:
        """Judgements for the trial's outcome, or else another of the analysis; none for rates."""
        if "outcome" not in record:
            return ()
        at = str(record["trial_id"]), str(record["outcome"])
        return judged(self.judgements, self.analysis.endpoints, *at) or ()

    def trial_cells(self) -> Cells:
        """The column of trial names."""

        def named(record: Record) -> str:
            year = "" if isnan(record["year"]) else f" ({record['year']:.0f})"
            return f"{record['trial']}{year}"

        header = self.say("Trial (year first reported)")
        return Cells(Column("trial", header, "left", "left"), named)

    def weight_cells(self) -> Cells:
        """The column of weights."""
        return Cells(
            Column("weight", self.say("Weight\n(%)"), "right", "right", 1, unit="%"),
            lambda record: self.share(record["weight"]),
            lambda _, group: self.share(float(group.loc[group["pooled"] == "yes", "weight"].sum())),
        )

    def result_cells(self, header: str) -> Cells:
        """The column of estimates with their intervals."""

        def of_trial(record: Record) -> str:
            if record.get("published"):
                return self.say.numbers(record["published"])
            # For a rate, the observed value; a footnote says how the interval was obtained.
            values = own_values(record)
            return self.say("not estimable") if isnan(values[0]) else self.printed(values)

        column = Column("result", header, "right", "right")
        return Cells(column, of_trial, lambda record, _: self.printed(POOLED(record)))

    def trial_rows(self, group: pd.DataFrame, cells: Sequence[Cells]) -> Iterator[Row]:
        """One row per trial, pooled or only shown, in the order that the figure specifies."""
        for record in records(in_order(group, self.analysis.figure.order)):
            texts = {found.column.key: found.trial(record) for found in cells}
            kind: RowKind = "trial" if record["pooled"] == "yes" else "unpooled"
            row = self.row(kind, texts, OF_TRIAL(record))
            yield replace(
                row,
                weight=record["weight"],
                lights=self.lights(record),
                remark=self._remark(record),
                sources=tuple(str(record["source_id"]).split(" / ")),
            )

    def _remark(self, record: Record) -> str:
        """Footnote on a trial's interval unless it was published at the level of the figure."""
        words = interval_remark(record, self.configuration.confidence_level)
        return self.tell(words, shown=f"{record['estimate_level']:g}") if words else ""

    def pooled_rows(
        self, subgroup: str, kind: RowKind, group: pd.DataFrame, cells: Sequence[Cells]
    ) -> Iterator[Row]:
        """The leading result of a group, its co-primary result, and the prediction interval."""
        say, lead = self.say, self.pooled(subgroup)
        if lead is None:
            return
        state = say(PRIOR_NAMES.get(lead["model"], ""))
        if not is_bayesian(lead["model"]):
            state = say.numbers(f"I² = {round_half_up(lead['i2'], 0)}%")
        name = say("All trials" if kind == "overall" else "Subtotal")
        texts = {found.column.key: found.pool(lead, group) for found in cells}
        texts["trial"] = f"{name} (k = {lead['k']:.0f}; {state})"
        yield self.row(kind, texts, POOLED(lead))
        second = self.estimate(subgroup, "co-primary")
        if second is not None:
            values = POOLED(second)
            texts = {"trial": say(MODEL_NAMES[second["model"]]), "result": self.printed(values)}
            yield self.row("secondary", texts, values)
        if not isnan(lead["pi_low"]):
            low, high = lead["pi_low"], lead["pi_high"]
            texts = {
                "trial": say("{level}% prediction interval", level=self.level),
                "result": say.numbers(f"({self.interval(low, high)})"),
            }
            yield self.row("prediction", texts, (nan, low, high))

    def forest(
        self, title: str, cells: Sequence[Cells], rows: Sequence[Row], axis: Axis, **more: Any
    ) -> Forest:
        """The plot of rows, with labels in the language of the figure."""
        columns = tuple(found.column for found in cells)
        return Forest(title, columns, tuple(rows), axis, say=self.say, **more)


def chosen(cells: Iterable[Cells], wanted: Sequence[str] | None) -> tuple[Cells, ...]:
    """The requested columns, or all; trial and result are always included."""
    # events of one arm are useless without those of the other
    parts = {"experimental": "counts", "control_counts": "counts"}
    kept = {"trial", "result", *(wanted or ())}
    return tuple(
        c for c in cells if wanted is None or parts.get(c.column.key, c.column.key) in kept
    )
