"""config/config.yaml: how trials are pooled, which variants are tried, which rows are taken."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from trial_evidence.config import forms
from trial_evidence.config.forms import Form, Maybe, Number, Several, Some, Whole
from trial_evidence.config.reading import Fault
from trial_evidence.words import models
from trial_evidence.words.problems import did_you_mean

LONGEST = "longest"
LeadingModel = Literal["random_effects", "bayesian"]
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
    """

    tau2_estimator: Estimator
    estimate_interval: Interval
    prediction_interval: Prediction
    leading: Annotated[tuple[LeadRule, ...], Field(min_length=1)]

    @property
    def model(self) -> str:
        """Name of the random-effects model in the column ``model``."""
        return models.random_model(self.tau2_estimator, self.estimate_interval)

    @property
    def lead_ranges(self) -> tuple[tuple[LeadingModel, int, int | None], ...]:
        """Which model leads from how many trials to how many; None where there is no end."""
        changes = [
            rule
            for before, rule in zip((None, *self.leading), self.leading, strict=False)
            if before is None or before.model != rule.model
        ]
        ends = [*(rule.from_trials - 1 for rule in changes[1:]), None]
        return tuple(
            (rule.model, rule.from_trials, end) for rule, end in zip(changes, ends, strict=True)
        )


class EmpiricalPrior(Form):
    """As the file writes it; `Sensitivity` holds a pair."""

    outcome: PriorOutcome
    comparison: PriorComparison


class ForcedMetaRegression(Form):
    """As the file writes it; `Sensitivity` holds a pair."""

    analysis: str
    covariate: str


def _pair(entry: Form, _: Any) -> tuple[Any, ...]:
    return tuple(vars(entry).values())


class Sensitivity(Form):
    """Which variants the sensitivity analyses try.

    Attributes
    ----------
    wide_prior_factor
        How many times wider than the configured half-normal prior the second one is.
    empirical_prior
        Kind of outcome and of comparison of the prior of tau2 from other meta-analyses, a key of
        `trial_evidence.pool.bayes.priors.EMPIRICAL_PRIORS`; used for odds ratios alone.
    worthwhile_hazard_ratio
        Hazard ratio whose posterior probability of being undercut is given.
    estimators, intervals
        Of the specification curve, which always holds the configured pair as well.
    verification
        Levels of verification admitted in turn.
    preferred
        Words that may stand first in an order of preference, by column; of a column that is not
        named, every word may.
    effect_modifiers
        Factors that are spoken of even where no trial of a setting reports by them; what trials do
        report by is examined whether it stands here or not.
    covariates
        Of the meta-regressions: a column of numbers of the evidence, or ``factor=level`` for the
        share of the patients at that level.
    forced_meta_regressions
        Analysis and covariate of those that are made with fewer than ten trials all the same.
    """

    wide_prior_factor: Annotated[Number, Field(gt=1)]
    empirical_prior: Annotated[tuple[str, str], forms.written_as(EmpiricalPrior, _pair)]
    worthwhile_hazard_ratio: Annotated[Number, Field(gt=0, lt=1)]
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


class Selection(Form):
    """Admission rules, and orders of preference by table; column -> admitted or ordered words."""

    admit: Mapping[str, tuple[str, ...]]
    orders: Mapping[str, Orders]

    @property
    def pcr(self) -> Orders:
        """To be replaced by ``of``."""
        return self.orders["pcr"]

    @property
    def hazard_ratio(self) -> Orders:
        """To be replaced by ``of``."""
        return self.orders["hazard_ratios"]

    def of(self, table: str) -> Orders:
        """Orders of preference among the rows of a table, the first column first."""
        return self.orders[table]


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
    """All of config/config.yaml; `tau_prior_scale` is by scale of analysis."""

    confidence_level: Annotated[Number, Field(gt=50, lt=100)]
    tau_prior_scale: Annotated[
        Mapping[str, float], forms.named(log_ratio=Above0, logit=Above0, difference=Above0)
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


def method_faults(
    methods: Methods, analyses: Collection[str], tables: Collection[str]
) -> Iterator[Fault]:
    """What does not fit together, or not with the ids and tables of all analyses."""
    for table in tables:
        if table not in methods.selection.orders:
            message = f'"{table}" is missing: the orders of preference among its rows.'
            yield Fault(("selection",), message, table)
    leading, sensitivity = methods.pooling.leading, methods.sensitivity
    starts = [rule.from_trials for rule in leading]
    if starts[0] != 2:
        yield Fault(
            ("pooling", "leading", 0, "from_trials"),
            "is where the first rule begins. It has to begin with 2 trials: one trial is not "
            "pooled and leads by itself.",
        )
    if starts != sorted(set(starts)):
        found = ", ".join(map(str, starts))
        message = f'"{found}" are the beginnings of the rules. They have to rise from rule to rule.'
        yield Fault(("pooling", "leading"), message)
    for at, rule in enumerate(leading):
        if rule.co_primary == rule.model:
            message = "leads and stands beside itself. Name another co_primary."
            yield Fault(("pooling", "leading", at, "co_primary"), message)
    if sensitivity.empirical_prior.count("any") == 1:
        found = ", ".join(sensitivity.empirical_prior)
        message = f'"{found}" is no prior of the table: "any" goes with "any" alone.'
        yield Fault(("sensitivity", "empirical_prior"), message)
    allowed = {"analysis": sorted(analyses), "covariate": sensitivity.covariates}
    for at, forced in enumerate(sensitivity.forced_meta_regressions):
        for name, (key, known) in zip(forced, allowed.items(), strict=True):
            if name not in known:
                message = f"is not allowed. Allowed: {', '.join(known)}.{did_you_mean(name, known)}"
                yield Fault(("sensitivity", "forced_meta_regressions", at, key), message)


def selection_faults(selection: Selection, tables: Tables) -> Iterator[Fault]:
    """Tables, columns and words under ``selection`` that the sheet does not know."""
    for table in selection.orders.keys() - tables.keys():
        near = did_you_mean(table, tables)
        message = f'"{table}" is no table of results. Tables: {", ".join(tables)}.{near}'
        yield Fault(("selection",), message, table)
    first, *others = tables.values()
    shared = {column: first[column] for column in first if all(column in t for t in others)}
    for part, known in {"admit": shared, **tables}.items():
        orders = selection.admit if part == "admit" else selection.orders.get(part, {})
        where = "every table of results" if part == "admit" else f"{part}.csv"
        for column, words in orders.items():
            if column not in known:
                message = f'"{column}" is not a column of {where}.{did_you_mean(column, known)}'
                yield Fault(("selection", part), message, column)
            allowed = known.get(column) or words
            for word in words if words != LONGEST else ():
                if word not in allowed:
                    near = did_you_mean(word, allowed)
                    message = f'"{word}" is not allowed. Allowed: {", ".join(allowed)}.{near}'
                    yield Fault(("selection", part, column), message)
