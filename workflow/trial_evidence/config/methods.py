"""How trials are pooled and which variants are tried: the methods part of config/config.yaml."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trial_evidence.words.models import random_model

LeadingModel = Literal["random_effects", "bayesian"]


@dataclass(frozen=True)
class LeadRule:
    """Which model leads from a number of trials on.

    Attributes
    ----------
    from_trials : int
        The fewest trials the rule is for; it holds until the next rule's.
    model : {"random_effects", "bayesian"}
        The leading model.
    co_primary : {"random_effects", "bayesian"} or None
        A second model of equal rank.
    reason : str
        Why, as the rest of a sentence that begins with the number of trials; empty for no more
        than the model's name.
    """

    from_trials: int
    model: LeadingModel
    co_primary: LeadingModel | None
    reason: str


@dataclass(frozen=True)
class Pooling:
    """The random-effects model that is reported, and which model leads.

    Attributes
    ----------
    tau2_estimator : str
        As `trial_evidence.pool.engine.tau2.estimate_tau2`.
    estimate_interval : str
        As `trial_evidence.pool.engine.intervals.confidence_interval`.
    prediction_interval : str
        As `trial_evidence.pool.engine.many.fit_stack`.
    leading : tuple of LeadRule
        In ascending order, the first from two trials on.
    """

    tau2_estimator: str
    estimate_interval: str
    prediction_interval: str
    leading: tuple[LeadRule, ...]

    @property
    def model(self) -> str:
        """Name of the random-effects model in the column ``model``."""
        return random_model(self.tau2_estimator, self.estimate_interval)

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


@dataclass(frozen=True)
class Sensitivity:
    """Which variants the sensitivity analyses try.

    Attributes
    ----------
    wide_prior_factor : float
        How many times wider than the configured half-normal prior the second one is.
    empirical_prior : tuple of str
        Kind of outcome and of comparison of the prior of tau2 from other meta-analyses, a key of
        `trial_evidence.pool.bayes.priors.EMPIRICAL_PRIORS`; used for odds ratios alone.
    worthwhile_hazard_ratio : float
        Hazard ratio whose posterior probability of being undercut is given.
    estimators, intervals : tuple of str
        Of the specification curve, which always holds the configured pair as well.
    verification : tuple of tuple of str
        Levels of verification admitted in turn.
    preferred : mapping of str to tuple of str
        Words that may stand first in an order of preference, by column; of a column that is not
        named, every word may.
    effect_modifiers : tuple of str
        Factors that are spoken of even where no trial of a setting reports by them; what trials do
        report by is examined whether it stands here or not.
    covariates : tuple of str
        Of the meta-regressions: a column of numbers of the evidence, or ``factor=level`` for the
        share of the patients at that level.
    forced_meta_regressions : tuple of tuple of str
        Analysis and covariate of those that are made with fewer than ten trials all the same.
    """

    wide_prior_factor: float
    empirical_prior: tuple[str, str]
    worthwhile_hazard_ratio: float
    estimators: tuple[str, ...]
    intervals: tuple[str, ...]
    verification: tuple[tuple[str, ...], ...]
    preferred: Mapping[str, tuple[str, ...]]
    effect_modifiers: tuple[str, ...]
    covariates: tuple[str, ...]
    forced_meta_regressions: tuple[tuple[str, str], ...]


def pooling_of(entry: Mapping[str, Any]) -> Pooling:
    """The part ``pooling`` of a configuration that passed its schema."""
    return Pooling(
        tau2_estimator=entry["tau2_estimator"],
        estimate_interval=entry["estimate_interval"],
        prediction_interval=entry["prediction_interval"],
        leading=tuple(
            LeadRule(
                rule["from_trials"], rule["model"], rule.get("co_primary"), rule.get("reason", "")
            )
            for rule in entry["leading"]
        ),
    )


def sensitivity_of(entry: Mapping[str, Any]) -> Sensitivity:
    """The part ``sensitivity`` of a configuration that passed its schema."""
    prior = entry["empirical_prior"]
    return Sensitivity(
        wide_prior_factor=float(entry["wide_prior_factor"]),
        empirical_prior=(prior["outcome"], prior["comparison"]),
        worthwhile_hazard_ratio=float(entry["worthwhile_hazard_ratio"]),
        estimators=tuple(entry["estimators"]),
        intervals=tuple(entry["intervals"]),
        verification=tuple(tuple(words) for words in entry["verification"]),
        preferred={column: tuple(words) for column, words in entry["preferred"].items()},
        effect_modifiers=tuple(entry["effect_modifiers"]),
        covariates=tuple(entry["covariates"]),
        forced_meta_regressions=tuple(
            (forced["analysis"], forced["covariate"]) for forced in entry["forced_meta_regressions"]
        ),
    )


def method_faults(
    settings: Mapping[str, Any], analyses: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    """What a schema cannot see is wrong with the methods.

    Parameters
    ----------
    settings : mapping
        The configuration, which passed its schema.
    analyses : frozenset of str
        Ids of all analyses.

    Yields
    ------
    place, value, message : str
        Where it is wrong, what stands there, and what would be right.
    """
    place = "pooling.leading"
    rules = settings["pooling"]["leading"]
    starts = [rule["from_trials"] for rule in rules]
    if starts[0] != 2:
        yield (
            place, str(starts[0]),
            "is where the first rule begins. It has to begin with 2 trials: one trial is not "
            "pooled and leads by itself.",
        )  # fmt: skip
    if starts != sorted(set(starts)):
        found = ", ".join(map(str, starts))
        yield place, found, "are the beginnings of the rules. They have to rise from rule to rule."
    for rule in rules:
        if rule.get("co_primary") == rule["model"]:
            yield place, rule["model"], "leads and stands beside itself. Name another co_primary."
    sensitivity = settings["sensitivity"]
    prior = sensitivity["empirical_prior"]
    if (prior["outcome"] == "any") != (prior["comparison"] == "any"):
        yield (
            "sensitivity.empirical_prior", f"{prior['outcome']}, {prior['comparison']}",
            'is no prior of the table: "any" goes with "any" alone.',
        )  # fmt: skip
    for forced in sensitivity["forced_meta_regressions"]:
        for key, allowed in (
            ("analysis", sorted(analyses)), ("covariate", sensitivity["covariates"]),
        ):  # fmt: skip
            if forced[key] not in allowed:
                yield (
                    f"sensitivity.forced_meta_regressions.{key}", forced[key],
                    f"is not allowed. Allowed: {', '.join(allowed)}",
                )  # fmt: skip
