"""config/config.yaml: how trials are pooled, which alternatives are tried, how rows are chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby
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
FILE = "config.yaml"
Covariate = forms.shaped(
    "^(year|median_followup_months|[a-z0-9_]+=.+)$",
    "year, median_followup_months, or factor=level for a share of the patients",
)
Tables = Mapping[str, Mapping[str, Sequence[str]]]
"""Table of results -> column -> its allowed words; empty if any text is allowed."""
# Wider than any prior in use, and narrow enough for every number computed with it.
PriorParameter = Annotated[Number, Field(ge=0.001, le=1000)]
Size = Annotated[Whole, Field(ge=1, le=1_000_000)]
Orders = Mapping[str, tuple[str, ...] | str]
"""Column -> its words in order of preference, or ``longest`` for a numeric column."""


class LeadRule(Form):
    """Which model leads from a given number of trials up to the next rule's.

    Attributes
    ----------
    from_trials
        The smallest number of trials to which the rule applies.
    model
        The leading model.
    co_primary
        A second model of equal rank.
    reason
        The reason, as the end of a sentence that begins with the number of trials; if empty, only
        the model's name is given.
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
        See `trial_evidence.pool.engine.tau2.estimate_tau2`.
    estimate_interval
        See `trial_evidence.pool.engine.intervals.confidence_interval`.
    prediction_interval
        See `trial_evidence.pool.engine.many.fit_stack`.
    leading
        In ascending order of the number of trials, starting at two.
    prediction_from_trials
        With fewer trials, no prediction interval is shown; estimates.csv contains them all.
    """

    tau2_estimator: Estimator
    estimate_interval: Interval
    prediction_interval: Prediction
    leading: Annotated[tuple[LeadRule, ...], Field(min_length=1)]
    prediction_from_trials: Annotated[Whole, Field(ge=2)] = 5

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        starts = [rule.from_trials for rule in self.leading]
        if starts[0] != 2:
            begins = "is where the first rule begins. It must begin with 2 trials: "
            message = f"{begins}one trial is not pooled and leads by itself."
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
        """Leading model, and the smallest and largest number of trials (None: no upper limit)."""
        changes = [next(rules) for _, rules in groupby(self.leading, lambda rule: rule.model)]
        ends = [*(rule.from_trials - 1 for rule in changes[1:]), None]
        pairs = zip(changes, ends, strict=True)
        return tuple((rule.model, rule.from_trials, end) for rule, end in pairs)


class OwnPooling(Form):
    """Pooling settings of one analysis that differ from the general ones; see `Pooling`."""

    tau2_estimator: Maybe[Estimator] = None
    estimate_interval: Maybe[Interval] = None
    prediction_interval: Maybe[Prediction] = None

    def over(self, pooling: Pooling) -> Pooling:
        """The general pooling settings with these changes applied."""
        own = {name: value for name, value in vars(self).items() if value is not None}
        return replace(pooling, **own)


class EmpiricalPrior(Form):
    """A prior for tau from other meta-analyses; exactly one of the two must be given.

    Attributes
    ----------
    inverse_gamma
        Shape and scale, for tau and not for tau2.
    half_normal
        Scale.
    """

    inverse_gamma: Maybe[tuple[PriorParameter, PriorParameter]] = None
    half_normal: Maybe[PriorParameter] = None

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if (self.inverse_gamma is None) == (self.half_normal is None):
            yield (), "needs one of inverse_gamma and half_normal."


class TauPriors(Form):
    """The priors for tau of one measure, in units of its analysis scale.

    Attributes
    ----------
    half_normal
        Scale of the cautious prior.
    empirical
        The prior from other meta-analyses; None if none exists for the measure.
    """

    half_normal: PriorParameter
    empirical: Maybe[EmpiricalPrior] = None


class TurnerPrior(Form):
    """Outcome and comparison as written in the file; `Sensitivity` stores them as a pair."""

    outcome: PriorOutcome
    comparison: PriorComparison

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        pair = (self.outcome, self.comparison)
        if pair.count("any") == 1:
            yield (), f'"{", ".join(pair)}" is not a prior of the table: "any" can only be '
            'combined with "any".'


class ForcedMetaRegression(Form):
    """Analysis and covariate as written in the file; `Sensitivity` stores them as a pair."""

    analysis: str
    covariate: str


class TrialSizes(Form):
    """The smallest and the largest size of a further trial to consider."""

    events: tuple[Size, Size]
    patients_per_arm: tuple[Size, Size]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        for name, (smallest, largest) in vars(self).items():
            if smallest >= largest:
                yield (name,), "must be the smallest size, then a larger one."


class RequiredInformation(Form):
    """The effect that a meta-analysis should be able to detect, with its alpha and power.

    Attributes
    ----------
    ratio
        Ratio of risks, odds or hazards, above 1; its reciprocal if fewer events are better.
    difference
        Risk difference.
    alpha
        Two-sided, in percent.
    power
        In percent.
    """

    ratio: Annotated[Number, Field(gt=1)]
    difference: Annotated[Number, Field(gt=0, lt=1)]
    alpha: Annotated[Number, Field(ge=0.1, lt=50)]
    power: Annotated[Number, Field(gt=50, lt=100)]


def _pair(entry: Form, _: Any) -> tuple[Any, ...]:
    return tuple(vars(entry).values())


class Sensitivity(Form):
    """The alternatives tried in the sensitivity analyses.

    Attributes
    ----------
    wide_prior_factor
        How many times wider the second half-normal prior is than the configured one.
    empirical_prior
        Type of outcome and of comparison for the prior for tau2 from other meta-analyses, a key of
        `trial_evidence.pool.bayes.priors.EMPIRICAL_PRIORS`; used only for odds ratios.
    estimators, intervals
        Those of the specification curve, which always includes the configured pair as well.
    verification
        Sets of verification levels, admitted one after the other.
    preferred
        By column, the words that may come first in an order of preference; for a column not named
        here, any word may.
    effect_modifiers
        Factors mentioned even if no trial of a setting reports results by them; all factors by
        which trials do report are examined, whether listed here or not.
    covariates
        Covariates of the meta-regressions: a numeric column of the evidence, or ``factor=level``
        for the share of patients at that level.
    forced_meta_regressions
        Analysis and covariate of meta-regressions to run even with fewer than ten trials.
    further_trial
        Sizes considered for one further trial that might change the verdict.
    required_information
        The effect that the pooled trials together should be able to detect; its ratio is the
        smallest that matters in all analyses.
    """

    wide_prior_factor: Annotated[Number, Field(gt=1, le=100)]
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
        """Threshold for which the posterior probability of a lower hazard ratio is reported."""
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
    """Words admitted by column, and orders of preference by table and column."""

    admit: Mapping[str, tuple[str, ...]]
    # Among the rows of a table, the first column decides first.
    orders: Mapping[str, Orders]

    def preferring(self, table: str, orders: Orders) -> "Selection":
        """A copy in which these orders come before a table's orders for other columns."""
        return replace(self, orders={**self.orders, table: self.ordered(table, orders)})

    def ordered(self, table: str, orders: Orders) -> Orders:
        """These orders, then the table's orders for the other columns."""
        others = {name: order for name, order in self.orders[table].items() if name not in orders}
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
    """Width and file formats of the figures."""

    width_mm: Annotated[Number, Field(ge=80, le=300)]
    formats: Some[Literal["svg", "pdf", "png"]]

    def faults(self, sections: Mapping[str, Any]) -> Iterator[Fault]:
        if "svg" not in self.formats:
            yield ("formats",), "must include svg: the page of the report shows these drawings."


class Methods(Form, kw_only=True):
    """All of config/config.yaml; `tau_priors` needs an entry for every measure that is used."""

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
        preferred = self.sensitivity.preferred
        known: dict[str, list[str]] = {}
        for column in preferred:
            words = [table[column] for table in tables.values() if column in table]
            # A column may hold any text in one table and words in another.
            known[column] = [*dict.fromkeys(chain(*words))] if all(words) else []
        yield from unknown_columns(preferred, known, where, "sensitivity", "preferred")
        for table in tables.keys() & orders.keys():
            where = f"{table}.csv"
            yield from unknown_columns(orders[table], tables[table], where, "selection", table)


def unknown_columns(
    orders: Orders, known: Mapping[str, Sequence[str]], where: str, *section: str
) -> Iterator[Fault]:
    """Errors for columns that a table does not have, and for words not allowed in a column.

    ``known`` gives the words of each column: ``longest`` alone for numbers, none for free text.
    """
    for column, words in orders.items():
        place = (*section, column)
        if column not in known:
            near = did_you_mean(column, known)
            yield place, f'"{column}" is not a column of {where}.{near}'
            continue
        allowed = known[column]
        for word in [words] if words == LONGEST else words:
            if not allowed and word == LONGEST:
                yield place, f'"{LONGEST}" is not allowed. Only columns of numbers have a longest.'
            elif allowed and word not in allowed:
                yield place, f'"{word}" is not allowed.{forms.among(allowed, word)}'
