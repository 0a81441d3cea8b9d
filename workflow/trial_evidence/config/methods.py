"""config/config.yaml: how trials are pooled, which variants are tried, which rows are taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import Field

from trial_evidence.config import forms
from trial_evidence.config.forms import Fault, Form, Maybe, Number, Several, Some, Whole
from trial_evidence.measures import MEASURES
from trial_evidence.words import models
from trial_evidence.words.problems import did_you_mean

LONGEST = "longest"
LeadingModel = Literal["random_effects", "bayesian_empirical", "bayesian"]
Estimator = Annotated[str, forms.one_of(models.TAU2_ESTIMATOR_NAMES)]
Interval = Annotated[str, forms.one_of(models.INTERVAL_WORDS)]
Prediction = Annotated[str, forms.one_of(models.PREDICTION_WORDS)]
PriorOutcome = Literal[
    "any",
    "all-cause mortality",
    "cause-specific mortality or major morbidity",
    "internal or structural outcome",
    "adverse events",
    "continuation or end of condition",
    "biological marker",
]
PriorComparison = Literal["any", "drug v placebo or control", "drug v drug"]
Covariate = forms.shaped(
    "^(year|median_followup_months|[a-z0-9_]+=.+)$",
    "year, median_followup_months, or factor=level for a share of the patients",
)
Tables = Mapping[str, Mapping[str, Sequence[str]]]
"""Table of results -> column -> the words that it may hold, where they are limited."""
Above0 = Annotated[Number, Field(gt=0)]
Size = Annotated[Whole, Field(ge=1)]
Orders = Mapping[str, tuple[str, ...] | str]
"""Column -> its words in order of preference, or ``longest`` for a number."""


class LeadRule(Form):
    """Which model leads from a number of trials on, until the next rule's.

    Attributes
    ----------
    from_trials
        The fewest trials the rule is for.
    model
        The leading model.
    co_primary
        A second model of equal rank.
    reason
        Why, as the rest of a sentence that begins with the number of trials; empty for no more
        than the model's name.
    """

    from_trials: Annotated[Whole, Field(ge=2)]
    model: LeadingModel
    co_primary: Maybe[LeadingModel] = None
    reason: str = ""

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if self.co_primary == self.model:
            yield ("co_primary",), "is both model and co_primary. Choose another co_primary."


class Pooling(Form):
    """The random-effects model that is reported, and which model leads.

    Attributes
    ----------
    tau2_estimator
        As `trial_evidence.pool.engine.tau2.estimate_tau2`.
    estimate_interval
        As `trial_evidence.pool.engine.intervals.confidence_interval`.
    prediction_interval
        As `trial_evidence.pool.engine.many.fit_stack`.
    leading
        In ascending order, the first from two trials on.
    prediction_from_trials
        With fewer trials no prediction interval is shown; estimates.csv has all.
    """

    tau2_estimator: Estimator
    estimate_interval: Interval
    prediction_interval: Prediction
    leading: Annotated[tuple[LeadRule, ...], Field(min_length=1)]
    prediction_from_trials: Annotated[Whole, Field(ge=2)] = 5

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        starts = [rule.from_trials for rule in self.leading]
        if starts[0] != 2:
            message = (
                "is where the first rule begins. It must begin with 2 trials: one trial is not "
                "pooled and leads by itself."
            )
            yield ("leading", 0, "from_trials"), message
        if starts != sorted(set(starts)):
            found = f'"{", ".join(map(str, starts))}" are the values of from_trials.'
            yield ("leading",), f"{found} They must increase from rule to rule."

    @property
    def model(self) -> str:
        """Name of the random-effects model in the column ``model``."""
        return models.random_model(self.tau2_estimator, self.estimate_interval)

    @property
    def lead_ranges(self) -> tuple[tuple[LeadingModel, int, int | None], ...]:
        """Which model leads from how many trials to how many; None where there is no end."""
        changes = [next(rules) for _, rules in groupby(self.leading, lambda rule: rule.model)]
        ends = [*(rule.from_trials - 1 for rule in changes[1:]), None]
        return tuple(
            (rule.model, rule.from_trials, end) for rule, end in zip(changes, ends, strict=True)
        )


class OwnPooling(Form):
    """How an analysis is pooled where it differs from the others; see `Pooling`."""

    tau2_estimator: Maybe[Estimator] = None
    estimate_interval: Maybe[Interval] = None
    prediction_interval: Maybe[Prediction] = None

    def over(self, pooling: Pooling) -> Pooling:
        """The configured way with these changes."""
        own = {name: value for name, value in vars(self).items() if value is not None}
        return replace(pooling, **own)


class EmpiricalPrior(Form):
    """A prior of tau from other meta-analyses; one of the two is stated.

    Attributes
    ----------
    inverse_gamma
        Shape and scale; of tau, not of tau2.
    half_normal
        Scale.
    """

    inverse_gamma: Maybe[tuple[Above0, Above0]] = None
    half_normal: Maybe[Above0] = None

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if (self.inverse_gamma is None) == (self.half_normal is None):
            yield (), "needs one of inverse_gamma and half_normal."


class TauPriors(Form):
    """The priors of tau for a measure, in units of its scale of analysis.

    Attributes
    ----------
    half_normal
        Scale of the cautious prior.
    empirical
        The prior from other meta-analyses; None where there is none for the measure.
    """

    half_normal: Above0
    empirical: Maybe[EmpiricalPrior] = None


class TurnerPrior(Form):
    """As the file writes it; `Sensitivity` holds a pair."""

    outcome: PriorOutcome
    comparison: PriorComparison

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        pair = (self.outcome, self.comparison)
        if pair.count("any") == 1:
            yield (), f'"{", ".join(pair)}" is not a prior of the table: "any" can only be '
            'combined with "any".'


class ForcedMetaRegression(Form):
    """As the file writes it; `Sensitivity` holds a pair."""

    analysis: str
    covariate: str


class TrialSizes(Form):
    """From which to which size further trials are considered: the smallest and the largest."""

    events: tuple[Size, Size]
    patients_per_arm: tuple[Size, Size]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        for name, (smallest, largest) in vars(self).items():
            if smallest >= largest:
                yield (name,), "must be the smallest size, then a larger one."


class RequiredInformation(Form):
    """The effect that a pool should be able to detect, and with which certainty.

    Attributes
    ----------
    ratio
        Of risks, odds or hazards, above 1; its reciprocal where fewer events are better.
    difference
        Of risks.
    alpha
        In percent, two-sided.
    power
        In percent.
    """

    ratio: Annotated[Number, Field(gt=1)]
    difference: Annotated[Number, Field(gt=0, lt=1)]
    alpha: Annotated[Number, Field(gt=0, lt=50)]
    power: Annotated[Number, Field(gt=50, lt=100)]


def _pair(entry: Form, _: Any) -> tuple[Any, ...]:
    return tuple(vars(entry).values())


class Sensitivity(Form):
    """Which alternatives the sensitivity analyses try.

    Attributes
    ----------
    wide_prior_factor
        How many times wider the second half-normal prior is than the configured one.
    empirical_prior
        Kind of outcome and of comparison of the prior of tau2 from other meta-analyses, a key of
        `trial_evidence.pool.bayes.priors.EMPIRICAL_PRIORS`; used for odds ratios alone.
    estimators, intervals
        Of the specification curve, which always holds the configured pair as well.
    verification
        Levels of verification admitted in turn.
    preferred
        Words that may come first in an order of preference, by column; of a column that is not
        named, every word may.
    effect_modifiers
        Factors that are spoken of even where no trial of a setting reports by them; what trials do
        report by is examined whether it stands here or not.
    covariates
        Of the meta-regressions: a column of numbers of the evidence, or ``factor=level`` for the
        share of the patients at that level.
    forced_meta_regressions
        Analysis and covariate of meta-regressions to make even with fewer than ten trials.
    further_trial
        Sizes of one further trial that may change the verdict.
    required_information
        What the trials of a pool should be able to detect together; its ratio is the smallest that
        matters, everywhere.
    """

    wide_prior_factor: Annotated[Number, Field(gt=1)]
    empirical_prior: Annotated[tuple[str, str], forms.written_as(TurnerPrior, _pair)]
    estimators: Some[Estimator]
    intervals: Some[Interval]
    verification: Some[Some[Literal["primary", "secondary", "unverified"]]]
    preferred: Annotated[
        Mapping[str, tuple[str, ...]],
        forms.named(required=False, definition=Some[str], analysis=Some[str], assessor=Some[str]),
    ]
    effect_modifiers: Several[forms.Text]
    covariates: Several[Annotated[str, Covariate]]
    forced_meta_regressions: Several[
        Annotated[tuple[str, str], forms.written_as(ForcedMetaRegression, _pair)]
    ]
    further_trial: TrialSizes
    required_information: RequiredInformation

    @property
    def worthwhile_hazard_ratio(self) -> float:
        """The posterior probability of a hazard ratio below this is given."""
        return 1 / self.required_information.ratio

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        ids = sorted(sections.get("analyses", ()))
        for at, (analysis, covariate) in enumerate(self.forced_meta_regressions):
            for key, name, known in (
                ("analysis", analysis, ids or [analysis]),
                ("covariate", covariate, self.covariates),
            ):
                if name not in known:
                    message = f"is not allowed.{forms.among(known, name)}"
                    yield ("forced_meta_regressions", at, key), message


class Selection(Form):
    """Admission rules, and orders of preference by table; column -> admitted or ordered words."""

    admit: Mapping[str, tuple[str, ...]]
    orders: Mapping[str, Orders]

    def of(self, table: str) -> Orders:
        """Orders of preference among the rows of a table, the first column first."""
        return self.orders[table]

    def preferring(self, table: str, orders: Orders) -> "Selection":
        """With these orders before the other columns' orders of a table."""
        return replace(self, orders={**self.orders, table: self.ordered(table, orders)})

    def ordered(self, table: str, orders: Orders) -> Orders:
        """These orders, then those of the other columns of a table."""
        others = {name: order for name, order in self.of(table).items() if name not in orders}
        return {**orders, **others}


Order = Annotated[
    Some[str] | Literal["longest"],
    Field(description="a list of words in order of preference, or longest"),
]
Selections = forms.named(
    admit=Annotated[Mapping[str, Some[str]], Field(min_length=1)],
    others=Annotated[Mapping[str, Order], Field(min_length=1)],
)


class FigureFiles(Form):
    """How wide figures are, and as which files they are written."""

    width_mm: Annotated[Number, Field(ge=80, le=300)]
    formats: Some[Literal["svg", "pdf", "png"]]


class Methods(Form, kw_only=True):
    """All of config/config.yaml; `tau_priors` are by measure, and of every one that is used."""

    confidence_level: Annotated[Number, Field(gt=50, lt=100)]
    tau_priors: Annotated[
        Mapping[str, TauPriors], forms.named(required=False, **dict.fromkeys(MEASURES, TauPriors))
    ]
    effect_modifier_min_trials: Annotated[Whole, Field(ge=1)]
    pooling: Pooling
    sensitivity: Sensitivity
    selection: Annotated[
        Selection,
        forms.written_as(
            Annotated[dict[str, Any], Selections],
            lambda tables, _: Selection(tables.pop("admit"), tables),
        ),
    ]
    figures: FigureFiles

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        for measure in sections.get("measures", MEASURES):
            if measure not in self.tau_priors:
                yield ("tau_priors",), f'"{measure}" is missing.'
        tables: Tables = sections.get("tables", {})
        orders = self.selection.orders
        for name in sections.get("used", tables.keys()) & tables.keys() - orders.keys():
            message = f'"{name}" is missing: the orders of preference among its rows.'
            yield ("selection", name), message
        if not tables:
            return
        for name in orders.keys() - tables.keys():
            message = f'"{name}" is not a table of results.{forms.among(tables, name)}'
            yield ("selection", name), message
        shared = set.intersection(*(set(columns) for columns in tables.values()))
        every = {column: next(iter(tables.values()))[column] for column in shared}
        where = "every table of results"
        yield from unknown_columns(self.selection.admit, every, where, "selection", "admit")
        for table in tables.keys() & orders.keys():
            where = f"{table}.csv"
            yield from unknown_columns(orders[table], tables[table], where, "selection", table)


def unknown_columns(
    orders: Orders, known: Mapping[str, Sequence[str]], where: str, *section: str
) -> Iterator[Fault]:
    """Columns that a table does not have, and words that they may not hold."""
    for column, words in orders.items():
        place = (*section, column)
        if column not in known:
            near = did_you_mean(column, known)
            yield place, f'"{column}" is not a column of {where}.{near}'
        allowed = known.get(column) or words
        for word in words if words != LONGEST else ():
            if word not in allowed:
                yield place, f'"{word}" is not allowed.{forms.among(allowed, word)}'
