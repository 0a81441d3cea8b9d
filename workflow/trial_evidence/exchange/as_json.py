"""Every pooled result as JSON, with its schema."""

import json
import math
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, TypeAdapter

from trial_evidence.config.forms import Form, Number, Text, Whole, with_meanings
from trial_evidence.files import records
from trial_evidence.pool.columns import ESTIMATE_COUNTS, ESTIMATE_NUMBERS

VERSION = "1.0"
"""Version of the format; the first number changes when programs that read the file would break."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Percent = Annotated[Number, Field(ge=0, le=100)]
Share = Annotated[Number, Field(ge=0, le=1)]
NotNegative = Annotated[Number, Field(ge=0)]
Count = Annotated[Whole, Field(ge=0)]


class Estimate(Form):
    """One model's result for one set of trials: a row of estimates.csv.

    Ratios are on the natural scale; differences and rates are proportions. A number is null if the
    model does not give it, or if it is not finite.

    Attributes
    ----------
    setting
        Clinical setting, as named in config/analyses.yaml.
    analysis
        Id of the analysis, or pool of rates, in config/analyses.yaml.
    outcome
        Outcomes reported by the trials, joined by "; ".
    measure
        Measure of effect: risk_ratio, odds_ratio, risk_difference, hazard_ratio; proportion for a
        rate; ratio_of_... or difference_of_... for a comparison of two groups of patients within
        trials.
    experimental
        Regimens of the experimental arms, joined by "; "; for a rate, the regimen.
    control
        Regimens of the control arms, joined by "; "; null for a rate.
    subgroup
        Trials or patients: all, column=value, factor=level, trial=id if nothing is pooled, or the
        factor that is tested.
    model
        Statistical model, such as random_reml_hk, common, dersimonian_laird, mantel_haenszel,
        bayesian_empirical, bayesian; single_trial for one trial, subgroup_difference for the test
        between groups of trials, no_trial if none qualifies.
    k
        Number of trials.
    participants
        Patients analysed in all trials and arms; null if a trial does not report it.
    events
        Patients with the event in all trials and arms; null if a trial does not report it.
    estimate
        Pooled effect; for a Bayesian model, the posterior median.
    ci_low
        Lower limit of the confidence interval, or of the shortest credible interval.
    ci_high
        Upper limit of the same interval.
    ci_level
        Confidence level of all intervals of the result, in percent.
    pi_low
        Lower limit of the prediction interval for the effect in a new trial.
    pi_high
        Upper limit of the same interval.
    p_value
        Two-sided test of no effect; for subgroup_difference, of no difference between the groups.
    tau2
        Between-trial variance on the scale of the analysis: logarithm of a ratio, difference,
        logit of a rate.
    tau2_low
        Lower limit of the interval of tau2.
    tau2_high
        Upper limit of the interval of tau2.
    i2
        Percentage of the variance that is between trials, from tau2.
    q
        Cochran's Q; for subgroup_difference, the F statistic.
    q_df
        Degrees of freedom of q.
    q_p
        P value of q.
    i2_from_q
        Percentage of the variance that is between trials, from Q.
    probability_of_benefit
        Posterior probability that the mean effect is a benefit, from 0 to 1 except for rounding.
    role
        lead for the result that is reported first, co-primary for one of equal rank; null for any
        other.
    trials
        Ids of the trials in trials.csv.
    remark
        Remark for readers of the result, such as why the model leads.
    """

    setting: Text
    analysis: Text
    outcome: Text | None
    measure: Text
    experimental: Text | None
    control: Text | None
    subgroup: Text
    model: Text
    k: Count
    participants: Count | None
    events: Count | None
    estimate: Number | None
    ci_low: Number | None
    ci_high: Number | None
    ci_level: Percent
    pi_low: Number | None
    pi_high: Number | None
    p_value: Share | None
    tau2: NotNegative | None
    tau2_low: NotNegative | None
    tau2_high: NotNegative | None
    i2: Percent | None
    q: NotNegative | None
    q_df: Count | None
    q_p: Share | None
    i2_from_q: Percent | None
    probability_of_benefit: Number | None
    role: Literal["lead", "co-primary"] | None
    trials: tuple[Text, ...]
    remark: Text | None


class Estimates(Form):
    """Every pooled result of the project: the content of results/estimates.csv, with its types.

    Attributes
    ----------
    format_version
        Version of this format.
    software_version
        Version of trial-evidence that wrote it.
    estimates
        The results in the order of estimates.csv.
    """

    schema: Annotated[
        Literal["estimates.schema.json"],
        Field(alias="$schema", description="Where the schema of this file is."),
    ]
    format_version: Literal["1.0"]
    software_version: Text
    estimates: tuple[Estimate, ...]


def estimates_as_json(estimates: pd.DataFrame, software: str) -> str:
    """The estimates as JSON in full precision; empty cells are null.

    Raises
    ------
    pydantic.ValidationError
        If a row does not match the schema.
    """
    rows = records(estimates)
    found = [{name: _cell(name, value) for name, value in row.items()} for row in rows]
    content = {"$schema": "estimates.schema.json", "format_version": VERSION,
               "software_version": software, "estimates": found}  # fmt: skip
    TypeAdapter(Estimates).validate_python(content)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def schema_of_estimates() -> str:
    """JSON Schema (draft 2020-12) of :func:`estimates_as_json`."""
    found = with_meanings(TypeAdapter(Estimates).json_schema())
    return json.dumps({"$schema": DIALECT, **found}, ensure_ascii=False, indent=2) + "\n"


def _cell(name: str, value: Any) -> Any:
    if name == "trials":
        return tuple(filter(None, value.split(";")))
    if name not in ESTIMATE_NUMBERS:
        return value or None
    if not math.isfinite(value):
        return None
    return int(value) if name in ESTIMATE_COUNTS else value
