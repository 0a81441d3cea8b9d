"""From evidence and estimates to the forest plots of an analysis: rows, texts, notes."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import (
    Analysis,
    Configuration,
    EffectModifier,
    FigureChoices,
    RateAnalysis,
)
from trial_evidence.config.labels import ENGLISH_LABELS, Labels
from trial_evidence.config.methods import Pooling
from trial_evidence.figures.canvas.axis import Axis, AxisScale
from trial_evidence.figures.canvas.chart import PHRASES, Judgement, Phrases
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.files import records
from trial_evidence.words.models import (
    BOOTSTRAP,
    INTERVAL_WORDS,
    MEASURE_NAMES,
    MODEL_NAMES,
    PREDICTION_WORDS,
    SHORT_MODEL_NAMES,
    is_random_effects,
    number_word,
)
from trial_evidence.words.numbers import format_interval, format_number, format_p, round_half_up

NOTHING_POOLED = "\N{EN DASH}"
PARTNER_NAMES = {
    "chemotherapy": "Chemotherapy",
    "endocrine": "Endocrine therapy",
    "none": "None",
}
ASSESSOR_NAMES = {"BICR": "central", "investigator": "inv."}
# The five domains of RoB 2 and the overall judgement.
LIGHTS = ("1", "2", "3", "4", "5", "All")
JUDGEMENTS_NOTE = (
    "Risk of bias (RoB 2): + low, ? some concerns, − high. 1 randomisation, 2 deviations from "
    "intended interventions, 3 missing outcome data, 4 measurement of the outcome, 5 selection of "
    "the reported result. Blank: not judged."
)
Judgements = Mapping[tuple[str, str], tuple[Judgement, ...]]
"""Judgements of the domains and overall, by trial id and outcome."""
NO_JUDGEMENTS: Judgements = {}
PARTNER_SHORT = {"chemotherapy": "chemo", "endocrine": "endocrine", "none": "alone"}


@dataclass(frozen=True)
class _Reading:
    """How a measure is drawn and printed."""

    scale: AxisScale
    to_analysis: Callable[[float], float]
    digits: int
    null: float | None
    benefit_below: bool


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _logit(value: float) -> float:
    return _log(value) - _log(1 - value)


_READINGS: Mapping[str, _Reading] = {
    "risk_ratio": _Reading("log", _log, 2, 0.0, False),
    "odds_ratio": _Reading("log", _log, 2, 0.0, False),
    "hazard_ratio": _Reading("log", _log, 2, 0.0, True),
    "risk_difference": _Reading("linear", float, 2, 0.0, False),
    "proportion": _Reading("logit", _logit, 0, None, False),
}


def analysis_forest(
    analysis: Analysis,
    measure: str,
    trials: pd.DataFrame,
    estimates: pd.DataFrame,
    set_aside: pd.DataFrame,
    configuration: Configuration,
    say: Labels = ENGLISH_LABELS,
    judgements: Judgements = NO_JUDGEMENTS,
) -> Forest:
    """Forest plot of an analysis by its subgroups of trials.

    Parameters
    ----------
    analysis : Analysis
    measure : str
        One of the analysis's measures.
    trials : DataFrame
        Its trials with their own results and weights (``trials.csv``), this measure only.
    estimates : DataFrame
        Its estimates, this measure only.
    set_aside : DataFrame
        Its rows set aside.
    configuration : Configuration
    say : Labels
        The words to print.
    judgements : mapping
        Risk-of-bias judgements; a column shows those of the trials' own outcomes.

    Returns
    -------
    Forest
    """
    whole = trials[trials["subgroup"] == "all"]
    table = _Table(analysis, measure, whole, say, judgements)
    shown = "added" if analysis.subgroups == "added_agents" else analysis.subgroups
    rows: list[Row] = []
    for value, group in whole.groupby(analysis.subgroups, sort=False):
        heading = _heading(analysis.subgroups, str(group[shown].iloc[0]), say)
        rows += [*_gap(rows), Row("heading", {"trial": heading})]
        rows += table.trial_rows(_sorted(group, analysis.figure))
        if analysis.pool != "none":
            name = f"{analysis.subgroups}={value}"
            rows += table.pooled_rows(_of(estimates, name), "subtotal", group)
    overall = _of(estimates, "all")
    lead = _role(overall, "lead")
    if analysis.pool == "overall" and lead is not None and whole[analysis.subgroups].nunique() == 1:
        rows = [row for row in rows if row.kind not in ("subtotal", "secondary")]
    if analysis.pool == "overall" and lead is not None and lead["model"] != "single_trial":
        rows += [*_gap(rows), *table.pooled_rows(overall, "overall", whole)]
    if whole.empty:
        rows.append(Row("text", {"trial": say("No trial qualifies.")}))
    notes = [*_heterogeneity(overall, say), *_difference(estimates, analysis.subgroups, say),
             *_other_models(overall, measure, say)]  # fmt: skip
    title = analysis.figure.title or analysis.title
    return Forest(
        title=title,
        columns=table.columns(),
        rows=tuple(rows),
        axis=table.axis(),
        overall=None if analysis.pool != "overall" else _centre(overall, measure),
        notes=tuple(notes) if analysis.pool == "overall" else (),
        footnotes=tuple(_footnotes(table, overall, set_aside, configuration)),
        description=_description(title, measure, whole, overall),
        phrases=_phrases(say),
    )


def modifier_forest(
    analysis: Analysis,
    modifier: EffectModifier,
    measure: str,
    trials: pd.DataFrame,
    estimates: pd.DataFrame,
    set_aside: pd.DataFrame,
    configuration: Configuration,
    say: Labels = ENGLISH_LABELS,
    judgements: Judgements = NO_JUDGEMENTS,
) -> Forest:
    """Forest plot of an analysis by the levels of a factor inside its trials.

    Parameters
    ----------
    analysis, measure, trials, estimates, set_aside, configuration, say, judgements
        As for :func:`analysis_forest`.
    modifier : EffectModifier
        Only trials that report both its levels are shown.

    Returns
    -------
    Forest
    """
    levels = [f"{modifier.factor}={level}" for level in modifier.levels]
    inside = trials[trials["subgroup"].isin(levels)]
    table = _Table(analysis, measure, inside, say, judgements)
    rows: list[Row] = []
    for level, name in zip(modifier.levels, levels, strict=True):
        group = _sorted(inside[inside["subgroup"] == name], analysis.figure)
        rows += [*_gap(rows), Row("heading", {"trial": say(f"{modifier.label} {level}")})]
        rows += table.trial_rows(group)
        rows += table.pooled_rows(_of(estimates, name), "subtotal", group)
    whole = analysis.figure.title or analysis.title
    title = say("{title}, by {factor}", title=whole, factor=say(modifier.label.lower()))
    own = set_aside[set_aside["subgroup"] == modifier.factor]
    return Forest(
        title=title,
        columns=table.columns(),
        rows=tuple(rows),
        axis=table.axis(),
        notes=tuple(_interaction(estimates, modifier, say)),
        footnotes=tuple(_footnotes(table, _of(estimates, levels[0]), own, configuration)),
        description=_description_by_level(title, measure, inside, estimates, levels),
        phrases=_phrases(say),
    )


def rate_forest(
    analysis: RateAnalysis,
    label: str,
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    subgroups: Mapping[str, str],
    configuration: Configuration,
    say: Labels = ENGLISH_LABELS,
) -> Forest:
    """Forest plot of the rates of one regimen, trial by trial.

    Parameters
    ----------
    analysis : RateAnalysis
    label : str
        The regimen in words.
    rates, estimates : DataFrame
        Of this regimen.
    subgroups : mapping
        Subgroup -> heading; a heading is printed where there is more than one.
    configuration : Configuration
    say : Labels
        The words to print.

    Returns
    -------
    Forest
    """
    columns = (
        Column("trial", say("Trial (year of report)"), "left", "left"),
        Column("counts", say("Events/n"), "right", "left"),
        Column("definition", say("Response"), "left", "left", priority=2),
        Column("weight", say("Weight\n(%)"), "right", "right", priority=1),
        Column("result", _rate_header(configuration, say), "right", "right"),
    )
    rows: list[Row] = []
    for subgroup, heading in subgroups.items():
        group = _sorted(rates[rates["subgroup"] == subgroup], analysis.figure)
        if group.empty:
            continue
        rows += _gap(rows)
        if len(subgroups) > 1:
            words = say(heading)
            rows.append(Row("heading", {"trial": words[:1].upper() + words[1:]}))
        rows += [_rate_row(record, say) for record in records(group)]
        kind: RowKind = "overall" if len(subgroups) == 1 else "subtotal"
        pooled = _of(estimates, subgroup)
        rows += _rate_pooled(pooled, kind, say)
    title = f"{analysis.figure.title or analysis.title}: {label}"
    return Forest(
        title=title,
        columns=_chosen(columns, analysis.figure),
        rows=tuple(rows),
        axis=_rate_axis(analysis.figure, say),
        notes=tuple(_heterogeneity(_of(estimates, "all"), say)) if len(subgroups) == 1 else (),
        footnotes=tuple(_rate_footnotes(rates, configuration, say)),
        description=_rate_description(title, rates, estimates, subgroups),
        phrases=_phrases(say),
    )


def rate_overview(
    analysis: RateAnalysis,
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    subgroups: Mapping[str, str],
    configuration: Configuration,
    say: Labels = ENGLISH_LABELS,
) -> Forest:
    """One row a regimen: pooled rates, by partner, and by subgroup where there are several.

    Parameters
    ----------
    analysis : RateAnalysis
    rates, estimates : DataFrame
        All of the analysis.
    subgroups : mapping
        Subgroup -> words for it.
    configuration : Configuration
    say : Labels
        The words to print.

    Returns
    -------
    Forest
    """
    factor = analysis.effect_modifiers[0].label if len(subgroups) > 1 else ""
    # By subgroup there is room for one interval only, and the other figure has the second.
    several = [Column("subgroup", say(factor), "left", "left")] if factor else []
    header = say("Prediction\ninterval")
    prediction = [Column("pi", header, "right", "right", 1)] if not factor else []
    columns = (
        Column("trial", say("Regimen"), "left", "left"),
        *several,
        Column("k", say("Trials"), "right", "left"),
        Column("counts", say("Events/n"), "right", "left"),
        Column("result", _rate_header(configuration, say), "right", "right"),
        *prediction,
    )
    lead = estimates[(estimates["role"] == "lead") & estimates["subgroup"].isin(list(subgroups))]
    lead = lead.assign(
        partner=lead["experimental"].map(
            dict(zip(rates["regimen_label"], rates["partner"], strict=True))
        ),
        agents=lead["experimental"].str.count(r" \+ "),
    ).sort_values(["agents", "experimental"], kind="stable")
    rows: list[Row] = []
    for partner, partner_name in PARTNER_NAMES.items():
        group = lead[lead["partner"] == partner]
        if group.empty:
            continue
        words = "No chemotherapy" if partner == "none" else f"With {partner_name.lower()}"
        rows += [*_gap(rows), Row("heading", {"trial": say(words)})]
        for regimen, block in group.groupby("experimental", sort=False):
            name = str(regimen).removesuffix(" alone").partition(" with ")[0]
            for record in records(block):
                level = subgroups[record["subgroup"]].removeprefix(f"{factor.lower()} ")
                rows.append(_overview_row(record, name, say(level)))
                name = ""
    title = analysis.figure.title or analysis.title
    if factor:
        title = say("{title}, by {factor}", title=title, factor=say(factor.lower()))
    return Forest(
        title=title,
        columns=columns,
        rows=tuple(rows),
        axis=_rate_axis(analysis.figure, say),
        footnotes=(
            say(
                "Pooled on the logit scale, arms of one trial with the same regimen added up: "
                "{models}; squares are single trials. Rates of different trials are not a "
                "comparison of regimens.",
                models=say(_pooled_rates(configuration.pooling)),
            ),
            *_not_pooled(rates[rates["subgroup"].isin(list(subgroups))], say),
        ),
        description=_overview_description(title, lead, subgroups),
        phrases=_phrases(say),
    )


@dataclass(frozen=True)
class _Table:
    """Columns and rows of one analysis; optional columns appear where their content varies."""

    analysis: Analysis
    measure: str
    trials: pd.DataFrame
    say: Labels
    judgements: Judgements

    @property
    def reading(self) -> _Reading:
        return _READINGS[self.measure]

    @property
    def counted(self) -> bool:
        return self.measure != "hazard_ratio"

    def columns(self) -> tuple[Column, ...]:
        """Columns from left to right."""
        say = self.say
        found = [Column("trial", say("Trial (year of report)"), "left", "left")]
        varying = {"control": self._control_varies, "partner": self._partner_varies}
        beside = [say(word) for word, varies in varying.items() if varies]
        if beside:
            header = ", ".join(beside)
            found.append(Column("control", header[0].upper() + header[1:], "left", "left", 2))
        if self.counted:
            found += [
                Column(key, f"{_two_lines(label)}\n{say('events/n')}", "right", "left", -1)
                for key, label in zip(
                    ("experimental", "control_counts"), self.analysis.arm_labels, strict=True
                )
            ]
        else:
            found.append(Column("source", say("Result"), "left", "left", 3))
        if self.analysis.pool != "none":
            found.append(Column("weight", say("Weight\n(%)"), "right", "right", 1))
        name = say(MEASURE_NAMES[self.measure])
        found.append(Column("result", f"{name}\n({say('95% CI')})", "right", "right"))
        if self.judged:
            note = say(JUDGEMENTS_NOTE)
            lights = (*LIGHTS[:-1], say(LIGHTS[-1]))
            header = say("Risk of bias")
            found.append(Column("risk_of_bias", header, "center", "right", 4, lights, note))
        return _chosen(found, self.analysis.figure)

    def axis(self) -> Axis:
        """The axis, with the ends chosen for the analysis's first measure."""
        say, analysis = self.say, self.analysis
        first = self.measure == analysis.measures[0]
        return comparison_axis(
            self.measure,
            analysis.arm_labels,
            favours=say("Favours {arm}"),
            limits=analysis.figure.axis if first else None,
            decimal_mark=say.decimal_mark,
        )

    @property
    def judged(self) -> bool:
        """Whether anybody has judged the risk of bias of any of the trials' own outcomes."""
        return any(self._lights(record) for record in records(self.trials))

    def _lights(self, record: Mapping[str, Any]) -> tuple[Judgement, ...]:
        return self.judgements.get((str(record["trial_id"]), str(record["outcome"])), ())

    def trial_rows(self, group: pd.DataFrame) -> Iterator[Row]:
        """One row a trial, pooled or only shown."""
        for record in records(group):
            pooled = record["pooled"] == "yes"
            known = not math.isnan(record["yi"])
            weight = record["weight"]
            texts = {
                "trial": _trial_year(record),
                "control": self._control(record),
                "weight": self._share(weight),
                "result": self._result(record["estimate"], record["estimate_low"],
                                       record["estimate_high"])
                          if known else self.say("not estimable"),
                "source": self._source(record),
            }  # fmt: skip
            if self.counted:
                texts["experimental"] = _fraction(record, "experimental")
                texts["control_counts"] = _fraction(record, "control")
            half = record["yi"], *(self.reading.to_analysis(record[f"estimate_{side}"])
                                   for side in ("low", "high"))  # fmt: skip
            estimate, low, high = half if known else (None, None, None)
            yield Row(
                "trial" if pooled else "unpooled",
                texts,
                estimate,
                low,
                high,
                None if math.isnan(weight) else weight,
                self._lights(record),
            )

    def pooled_rows(
        self, found: pd.DataFrame, kind: RowKind, trials: pd.DataFrame
    ) -> Iterator[Row]:
        """The leading result, its co-primary, and the prediction interval."""
        lead = _role(found, "lead")
        if lead is None or lead["model"] == "single_trial":
            return
        name = self.say("All trials" if kind == "overall" else "Subtotal")
        yield self._pooled_row(lead, kind, f"{name} ({_short_state(lead, self.say)})", trials)
        second = _role(found, "co-primary")
        if second is not None:
            model = self.say(MODEL_NAMES[second["model"]])
            yield self._pooled_row(second, "secondary", model, None)
        if not math.isnan(lead["pi_low"]) and kind == "overall":
            yield Row(
                "prediction",
                {
                    "trial": self.say("95% prediction interval"),
                    "result": self.say.numbers(
                        f"({format_interval(lead['pi_low'], lead['pi_high'], 2)})"
                    ),
                },
                None,
                self.reading.to_analysis(lead["pi_low"]),
                self.reading.to_analysis(lead["pi_high"]),
            )

    def _pooled_row(
        self, record: Mapping[str, Any], kind: RowKind, label: str, trials: pd.DataFrame | None
    ) -> Row:
        estimate, low, high = (record[c] for c in ("estimate", "ci_low", "ci_high"))
        texts = {"trial": label, "result": self._result(estimate, low, high)}
        if trials is not None:
            inside = trials[trials["pooled"] == "yes"]
            texts["weight"] = self._share(float(inside["weight"].sum()))
            if self.counted:
                for side, key in (("experimental", "experimental"), ("control", "control_counts")):
                    sums = inside[[f"events_{side}", f"n_{side}"]].sum()
                    texts[key] = f"{sums.iloc[0]:.0f}/{sums.iloc[1]:.0f}"
        to = self.reading.to_analysis
        return Row(kind, texts, to(estimate), to(low), to(high))

    def _result(self, estimate: float, low: float, high: float) -> str:
        digits = self.reading.digits
        shown = f"{format_number(estimate, digits)} ({format_interval(low, high, digits)})"
        return self.say.numbers(shown)

    def _share(self, weight: float) -> str:
        return NOTHING_POOLED if math.isnan(weight) else self.say.numbers(round_half_up(weight, 1))

    def _source(self, record: Mapping[str, Any]) -> str:
        several = self.trials["outcome"].nunique() > 1
        parts = [
            str(record["outcome"]) if several else "",
            self.say(ASSESSOR_NAMES.get(str(record["assessor"]), "")),
            self.say(str(record["analysis_cut"])),
        ]
        return ", ".join(filter(None, parts))

    def _control(self, record: Mapping[str, Any]) -> str:
        """Control arm and partner, as far as they vary between the trials."""
        none = record["control_agents"] == "none"
        parts = [
            ""
            if not self._control_varies
            else self.say("No HER2 agent")
            if none
            else str(record["control"]),
            _partners(record, self.say) if self._partner_varies else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def _control_varies(self) -> bool:
        return self.trials["control_agents"].nunique() > 1

    @property
    def _partner_varies(self) -> bool:
        if self.analysis.subgroups == "experimental_partner":
            return False
        return len({_partners(record, self.say) for record in records(self.trials)}) > 1


def comparison_axis(
    measure: str,
    arm_labels: tuple[str, str],
    label: str = "",
    *,
    favours: str = "Favours {arm}",
    limits: tuple[float, float] | None = None,
    decimal_mark: str = ".",
) -> Axis:
    """The axis of a comparison of two arms, with what lies on either side of no effect.

    Parameters
    ----------
    measure : str
        risk_ratio, odds_ratio, risk_difference or hazard_ratio.
    arm_labels : pair of str
        Experimental and control arm.
    label : str
        Text under the axis.
    favours : str
        With the arm in braces: ``{arm}`` within a sentence, ``{Arm}`` as it is given.
    limits : pair of float, optional
        Ends of the axis as printed; by default those that the data ask for.
    decimal_mark : str
        Between the digits of the ticks.

    Returns
    -------
    Axis
    """
    reading = _READINGS[measure]
    first, second = (
        favours.replace("{arm}", _lower_first(arm)).replace("{Arm}", arm) for arm in arm_labels
    )
    low, high = (first, second) if reading.benefit_below else (second, first)
    return Axis(reading.scale, reading.null, label, low, high, limits, decimal_mark)


def to_analysis_scale(measure: str, value: float) -> float:
    """A value as the analysis has it: the logarithm of a ratio, the logit of a proportion."""
    return _READINGS[measure].to_analysis(value)


def _rate_axis(choices: FigureChoices, say: Labels) -> Axis:
    return Axis("logit", None, say("Rate"), "", "", choices.axis, say.decimal_mark)


def _rate_header(configuration: Configuration, say: Labels) -> str:
    return say("Rate, % ({level} CI)", level=_level(configuration))


def _chosen(columns: Sequence[Column], choices: FigureChoices) -> tuple[Column, ...]:
    """The columns asked for; trial and result always."""
    if choices.columns is None:
        return tuple(columns)
    # the events of one arm are of no use without the other's
    parts = {"experimental": "counts", "control_counts": "counts"}
    kept = {"trial", "result", *choices.columns}
    return tuple(column for column in columns if parts.get(column.key, column.key) in kept)


def _phrases(say: Labels) -> Phrases:
    return Phrases(
        say(PHRASES.in_full),
        say(PHRASES.not_labelled),
        say(PHRASES.left_out),
    )


def _heading(column: str, value: str, say: Labels) -> str:
    if column == "experimental_partner":
        return say({
            "none": "Nothing in place of chemotherapy",
            "endocrine": "Endocrine therapy in place of chemotherapy",
        }.get(value, PARTNER_NAMES.get(value, value)))  # fmt: skip
    return say("Added: {agents}", agents=value) if column == "added_agents" else value


def _short_state(lead: Mapping[str, Any], say: Labels) -> str:
    k = f"k = {lead['k']:.0f}"
    if lead["model"] == "bayesian":
        return f"{k}; {say('Bayesian')}"
    tau2, i2 = lead["tau2"], lead["i2"]
    return say.numbers(f"{k}; I² = {round_half_up(i2, 0)}%; τ² = {round_half_up(tau2, 3)}")


def _heterogeneity(overall: pd.DataFrame, say: Labels) -> Iterator[str]:
    """Tau2, I2 and Q of the random-effects model in words."""
    found = overall[overall["model"].map(is_random_effects)]
    if found.empty:
        return
    record = found.iloc[0]
    q = say.numbers(round_half_up(record["q"], 2))
    p = say.numbers(format_p(record["q_p"]))
    if record["k"] == 2:
        yield say(
            "Heterogeneity cannot be estimated from two trials (Q = {q}, df = 1, {p}).", q=q, p=p
        )
        return
    yield say(
        "Heterogeneity: τ² = {tau2} (95% CI {interval}); I² = {i2}% (from Q: {i2_from_q}%); "
        "Q = {q}, df = {df}, {p}.",
        tau2=say.numbers(round_half_up(record["tau2"], 3)),
        interval=say.numbers(format_interval(record["tau2_low"], record["tau2_high"], 3)),
        i2=round_half_up(record["i2"], 0),
        i2_from_q=round_half_up(record["i2_from_q"], 0),
        q=q,
        df=f"{record['q_df']:.0f}",
        p=p,
    )


def _difference(estimates: pd.DataFrame, column: str, say: Labels) -> Iterator[str]:
    found = estimates[
        (estimates["model"] == "subgroup_difference") & (estimates["subgroup"] == column)
    ]
    for record in records(found):
        if math.isnan(record["q"]):
            reason = say(_lower_first(record["remark"]))
            yield say("Subgroup differences: {reason}", reason=reason)
        else:
            yield say(
                "Test for subgroup differences: {statistic}, {p}.",
                statistic=say.numbers(record["remark"].partition(";")[0]),
                p=say.numbers(format_p(record["p_value"])),
            )


def _interaction(estimates: pd.DataFrame, modifier: EffectModifier, say: Labels) -> Iterator[str]:
    found = estimates[estimates["subgroup"] == modifier.factor]
    lead = _role(found, "lead")
    if lead is None:
        return
    kind = str(lead["measure"]).replace("_", " ").removesuffix("s")
    p_value = lead["p_value"]
    yield say(
        "Interaction within trials ({kind}, {first} v {second}): {estimate} "
        "(95% CI {interval}{p}; {model}).",
        kind=say(kind),
        first=say(modifier.levels[0]),
        second=say(modifier.levels[1]),
        estimate=say.numbers(format_number(lead["estimate"])),
        interval=say.numbers(format_interval(lead["ci_low"], lead["ci_high"])),
        p="" if math.isnan(p_value) else f"; {say.numbers(format_p(p_value))}",
        model=say(MODEL_NAMES[str(lead["model"])]),
    )


def _other_models(overall: pd.DataFrame, measure: str, say: Labels) -> Iterator[str]:
    """The same trials by the models that do not lead, so that the choice can be judged."""
    digits = _READINGS[measure].digits
    parts = []
    for record in records(overall):
        if record["role"] or record["model"] not in MODEL_NAMES:
            continue
        # With two trials the interval on one degree of freedom says only that k is 2.
        interval = format_interval(record["ci_low"], record["ci_high"], digits)
        name = say(MODEL_NAMES[record["model"]])
        estimate = format_number(record["estimate"], digits)
        parts.append(f"{name} {say.numbers(f'{estimate} ({interval})')}")
    bayesian = overall[overall["model"] == "bayesian"]
    if parts:
        yield say("Other models: {models}.", models="; ".join(parts))
    if not bayesian.empty and not math.isnan(bayesian["probability_of_benefit"].iloc[0]):
        probability = 100 * bayesian["probability_of_benefit"].iloc[0]
        shown = "> 99.9" if probability > 99.9 else round_half_up(probability, 1)
        yield say(
            "Posterior probability that the mean effect is a benefit: {probability}%.",
            probability=say.numbers(shown),
        )


def _footnotes(
    table: "_Table", overall: pd.DataFrame, set_aside: pd.DataFrame, configuration: Configuration
) -> Iterator[str]:
    analysis, trials, say = table.analysis, table.trials, table.say
    lead = _role(overall, "lead")
    if analysis.pool == "none":
        yield say("Trial by trial: these comparisons are not alike enough to be pooled.")
    elif lead is not None and lead["model"] != "single_trial":
        beside = _role(overall, "co-primary") is not None
        yield _model_sentence(
            str(lead["model"]), say(str(lead["remark"])), configuration.pooling, say,
            co_primary=beside,
        )  # fmt: skip
    yield _selection_sentence(analysis, trials, configuration, say)
    deviations = _deviations(analysis, trials, configuration, say)
    if deviations:
        yield say("Deviating: {deviations}.", deviations="; ".join(deviations))
    yield from _not_pooled(trials, say)
    yield from _readers_differ(trials, say)
    yield from _left_out(trials, set_aside, say)


def _model_sentence(
    model: str, remark: str, pooling: Pooling, say: Labels, *, co_primary: bool
) -> str:
    if model == "bayesian":
        return say(
            "{reason} Half-normal prior on τ, flat prior on the mean; diamond: posterior median "
            "and shortest 95% interval.",
            reason=remark,
        )
    prediction = say(PREDICTION_WORDS[pooling.prediction_interval])
    if co_primary:
        return say(
            "{reason} Squares: area follows weight. Prediction interval: {prediction}.",
            reason=remark,
            prediction=prediction,
        )
    how = "by" if pooling.prediction_interval == BOOTSTRAP else "on"
    return say(
        f"Random effects, {{estimator}}; {{interval}}; prediction interval {how} {{prediction}}. "
        "Squares: area follows weight.",
        estimator=pooling.tau2_estimator,
        interval=say(INTERVAL_WORDS[pooling.estimate_interval][2]),
        prediction=prediction,
    )


def _selection_sentence(
    analysis: Analysis, trials: pd.DataFrame, configuration: Configuration, say: Labels
) -> str:
    orders = configuration.selection.pcr if analysis.is_pcr else (
        configuration.selection.hazard_ratio)  # fmt: skip
    assessed = not analysis.is_pcr and (trials["assessor"] != "not applicable").any()
    first = ["definition"] if analysis.is_pcr else ["analysis"]
    before = say(" before ")
    parts = [
        before.join(say(w) for w in orders[column] if w != "not applicable")
        for column in (["assessor", *first] if assessed else first)
    ]
    if len(analysis.endpoints) > 1:
        parts.insert(0, before.join(analysis.endpoints))
    admitted = say(" or ").join(say(w) for w in configuration.selection.admit["verification"])
    return say(
        "One result a trial: {orders}; {verification} verification only.",
        orders="; ".join(parts),
        verification=admitted,
    )


def _deviations(
    analysis: Analysis, trials: pd.DataFrame, configuration: Configuration, say: Labels
) -> list[str]:
    """What single trials have that the preferred kind of result has not, trials named."""
    found: dict[str, list[str]] = {}

    def add(what: str, record: Mapping[str, Any]) -> None:
        names = found.setdefault(what, [])
        if record["trial"] not in names:
            names.append(str(record["trial"]))

    orders = configuration.selection.pcr
    for record in records(trials):
        if analysis.is_pcr:
            if record["definition"] != orders["definition"][0]:
                add(say("response by {definition}", definition=record["definition"]), record)
            if " / " in record["population"]:
                add(say("analysis populations differ between the arms"), record)
            if record["corrected"] == "yes":
                add(say("0.5 added to each cell because one is empty"), record)
            continue
        if record["endpoint"] != analysis.endpoints[0]:
            first = analysis.endpoints[0]
            words = "{endpoint} in place of {preferred}"
            add(say(words, endpoint=record["endpoint"], preferred=first), record)
        if record["assessor"] == "investigator" and record["endpoint"] == "PFS":
            add(say("assessed by investigators"), record)
        if record["ci_level"] not in (configuration.confidence_level,) and not math.isnan(
            record["ci_level"]
        ):
            level = say.numbers(f"{record['ci_level']:g}")
            add(say("{level}% interval reported, converted", level=level), record)
        if record["se_source"] not in ("interval", ""):
            add(say("standard error from the {source}", source=say(record["se_source"])), record)
        if record["analysis_cut"] == "interim":
            add(say("interim analysis"), record)
        if record["derivation"] == "digitised_curve":
            add(say("read off the published curve"), record)
        if record["inverted"] == "yes":
            add(say("hazard ratio inverted"), record)
    return [f"{what}: {', '.join(names)}" for what, names in found.items()]


def _not_pooled(trials: pd.DataFrame, say: Labels) -> Iterator[str]:
    """Trials that are shown but not pooled, with the reason."""
    for record in records(trials[trials["pooled"] == "no"].drop_duplicates("trial_id")):
        yield say(
            "Not pooled: {trial}: {reason}.",
            trial=record["trial"],
            reason=record["not_pooled_reason"].rstrip("."),
        )


def _readers_differ(trials: pd.DataFrame, say: Labels) -> Iterator[str]:
    """Pooled numbers that two readers found different and nobody has settled."""
    pooled = trials[(trials["pooled"] == "yes") & (trials["readers_differ"] != "")]
    named = [
        f"{record['trial']} ({record['readers_differ']})"
        for record in records(pooled.drop_duplicates(["trial_id", "readers_differ"]))
    ]
    if named:
        yield say("Two readers differ, not settled: {trials}.", trials="; ".join(named))


def _left_out(trials: pd.DataFrame, set_aside: pd.DataFrame, say: Labels) -> Iterator[str]:
    """Trials of which every row was set aside."""
    factor = "all" if trials.empty or (trials["subgroup"] == "all").any() else None
    rows = set_aside if factor is None else set_aside[set_aside["subgroup"] == factor]
    missing = rows[~rows["trial_id"].isin(trials["trial_id"])]
    if missing.empty:
        return
    parts = []
    for trial, group in missing.groupby("trial", sort=False):
        reasons = dict.fromkeys(say(_brief_reason(reason)) for reason in group["reason"])
        parts.append(f"{trial} ({'; '.join(reasons)})")
    yield say("No result admitted: {trials}.", trials=", ".join(parts))


def _brief_reason(reason: str) -> str:
    if reason.startswith("verification is "):
        return reason.removeprefix("verification is ").partition(" (")[0]
    if reason.startswith("status is "):
        return reason.removeprefix("status is ").partition(" (")[0]
    if reason.startswith("no complete pair"):
        return "one level or arm missing"
    return reason


def _description(title: str, measure: str, trials: pd.DataFrame, overall: pd.DataFrame) -> str:
    text = f"Forest plot. {title}. {_trial_results(measure, trials)}"
    lead = _role(overall, "lead")
    if lead is None or lead["model"] == "single_trial" or lead["subgroup"] != "all":
        return text
    return f"{text} {_pooled_result(measure, lead)}"


def _description_by_level(
    title: str, measure: str, trials: pd.DataFrame, estimates: pd.DataFrame, levels: Sequence[str]
) -> str:
    parts = [f"Forest plot. {title}."]
    for name in levels:
        level = name.partition("=")[2]
        shown = _trial_results(measure, trials[trials["subgroup"] == name])
        parts.append(f"{level[:1].upper()}{level[1:]}: {_lower_first(shown)}")
        lead = _role(_of(estimates, name), "lead")
        if lead is not None and lead["model"] != "single_trial":
            parts.append(_pooled_result(measure, lead))
    return " ".join(parts)


def _trial_results(measure: str, trials: pd.DataFrame) -> str:
    """What the trials found, for readers who do not see where their squares are."""
    digits = _READINGS[measure].digits
    found = [
        f"{record['trial']} {format_number(record['estimate'], digits)}"
        + ("" if record["pooled"] == "yes" else " (not pooled)")
        for record in records(trials)
        if not math.isnan(record["estimate"])
    ]
    if not found:
        return "No trial has a result."
    return f"{MEASURE_NAMES[measure]} by trial: {'; '.join(found)}."


def _pooled_result(measure: str, lead: Mapping[str, Any]) -> str:
    digits = _READINGS[measure].digits
    text = (
        f"Pooled {MEASURE_NAMES[measure].lower()} of {lead['k']:.0f} trials "
        f"{format_number(lead['estimate'], digits)} "
        f"(95% interval {format_interval(lead['ci_low'], lead['ci_high'], digits)}"
    )
    if not math.isnan(lead["pi_low"]):
        interval = format_interval(lead["pi_low"], lead["pi_high"], digits)
        text += f"; 95% prediction interval {interval}"
    return f"{text})."


def _rate_row(record: Mapping[str, Any], say: Labels) -> Row:
    pooled = record["pooled"] == "yes"
    weight = record["weight"]
    values = [record[c] for c in ("estimate", "estimate_low", "estimate_high")]
    return Row(
        "trial" if pooled else "unpooled",
        {
            "trial": _trial_year(record),
            "counts": f"{record['events']:.0f}/{record['n']:.0f}",
            "definition": str(record["definition"]),
            "weight": say.numbers(
                NOTHING_POOLED if math.isnan(weight) else round_half_up(weight, 1)
            ),
            "result": _percent(*values),
        },
        _logit(values[0]),
        _logit(values[1]),
        _logit(values[2]),
        None if math.isnan(weight) else weight,
    )


def _rate_pooled(found: pd.DataFrame, kind: RowKind, say: Labels) -> Iterator[Row]:
    lead = _role(found, "lead")
    if lead is None or lead["model"] == "single_trial":
        return
    values = [lead[c] for c in ("estimate", "ci_low", "ci_high")]
    name = say("All trials" if kind == "overall" else "Subtotal")
    counts = f"{lead['events']:.0f}/{lead['participants']:.0f}"
    yield Row(
        kind,
        {"trial": f"{name} ({_short_state(lead, say)})", "counts": counts,
         "weight": say.numbers("100.0"), "result": _percent(*values)},
        _logit(values[0]),
        _logit(values[1]),
        _logit(values[2]),
    )  # fmt: skip
    interval = [lead[c] for c in ("pi_low", "pi_high")]
    if not math.isnan(interval[0]):
        shown = format_interval(100 * interval[0], 100 * interval[1], 0)
        yield Row(
            "prediction",
            {"trial": say("95% prediction interval"), "result": f"({shown})"},
            None,
            _logit(interval[0]),
            _logit(interval[1]),
        )


def _overview_row(record: Mapping[str, Any], name: str, subgroup: str) -> Row:
    values = [record[c] for c in ("estimate", "ci_low", "ci_high")]
    interval = [100 * record[c] for c in ("pi_low", "pi_high")]
    single = record["model"] == "single_trial"
    return Row(
        "trial" if single else "pooled",
        {
            "trial": name,
            "subgroup": subgroup,
            "k": f"{record['k']:.0f}",
            "counts": f"{record['events']:.0f}/{record['participants']:.0f}",
            "result": _percent(*values),
            "pi": "" if math.isnan(interval[0]) else format_interval(interval[0], interval[1], 0),
        },
        _logit(values[0]),
        _logit(values[1]),
        _logit(values[2]),
    )


def _pooled_rates(pooling: Pooling) -> str:
    """Which model pools how many rates."""
    names = {
        "random_effects": f"random effects ({SHORT_MODEL_NAMES[pooling.model]})",
        "bayesian": "Bayesian",
    }
    parts = []
    for model, first, last in reversed(pooling.lead_ranges):
        if last is None:
            parts.append(f"{names[model]} from {number_word(first)} trials")
        else:
            parts.append(f"{names[model]} for {_span(first, last)}")
    return "; ".join(parts)


def _rates_model(pooling: Pooling) -> str:
    """The models of the rates, on the scale on which they are pooled."""
    interval = INTERVAL_WORDS[pooling.estimate_interval][2].replace(" interval", "")
    parts = [f"Random effects on the logit scale ({pooling.tau2_estimator}, {interval})"]
    for model, first, last in pooling.lead_ranges:
        if model == "bayesian":
            parts.append(f"{_span(first, last)} trials: Bayesian")
    return "; ".join(parts)


def _span(first: int, last: int | None) -> str:
    if last is None:
        return f"{number_word(first)} or more"
    return number_word(first) if last == first else f"{number_word(first)} to {number_word(last)}"


def _rate_footnotes(
    rates: pd.DataFrame, configuration: Configuration, say: Labels
) -> Iterator[str]:
    preferred = configuration.selection.pcr["definition"]
    yield say(
        "{model}. Trial intervals: Wald on the logit scale. Arms of one trial with the same "
        "regimen are added up; single-arm cohorts are included.",
        model=say(_rates_model(configuration.pooling)),
    )
    yield say("Response: {orders}.", orders=say(" before ").join(preferred))
    yield from _not_pooled(rates, say)
    yield from _readers_differ(rates, say)


def _rate_description(
    title: str, rates: pd.DataFrame, estimates: pd.DataFrame, subgroups: Mapping[str, str]
) -> str:
    parts = []
    for subgroup, name in subgroups.items():
        lead = _role(_of(estimates, subgroup), "lead")
        if lead is not None:
            values = [lead[c] for c in ("estimate", "ci_low", "ci_high")]
            parts.append(f"{name} {_percent(*values)} %, k = {lead['k']:.0f}")
    whole = rates[rates["subgroup"].isin(list(subgroups))]
    trials = whole["trial_id"].nunique()
    low, high = (round_half_up(100 * end, 0) for end in (whole["rate"].min(), whole["rate"].max()))
    return (
        f"Forest plot of rates. {title}. {trials} trials, rates from {low} to {high} %. "
        f"Pooled: {'; '.join(parts)}."
    )


def _overview_description(title: str, lead: pd.DataFrame, subgroups: Mapping[str, str]) -> str:
    found = []
    for record in records(lead):
        level = f", {subgroups[record['subgroup']]}" if len(subgroups) > 1 else ""
        values = [record[c] for c in ("estimate", "ci_low", "ci_high")]
        found.append(f"{record['experimental']}{level} {_percent(*values)} %")
    return f"Forest plot of rates, a row a regimen. {title}. {'; '.join(found)}."


def _of(estimates: pd.DataFrame, subgroup: str) -> pd.DataFrame:
    return estimates[
        (estimates["subgroup"] == subgroup) & (estimates["model"] != "subgroup_difference")
    ]


def _role(found: pd.DataFrame, role: str) -> dict[str, Any] | None:
    rows = records(found[found["role"] == role])
    return rows[0] if rows else None


def _centre(overall: pd.DataFrame, measure: str) -> float | None:
    lead = _role(overall, "lead")
    if lead is None or lead["model"] == "single_trial":
        return None
    return _READINGS[measure].to_analysis(lead["estimate"])


def _sorted(trials: pd.DataFrame, choices: FigureChoices) -> pd.DataFrame:
    by: dict[str, tuple[list[str], list[bool]]] = {
        "year": (["year", "trial"], [True, True]),
        "effect": (["yi", "trial"], [True, True]),
        "weight": (["weight", "trial"], [False, True]),
        "name": (["trial"], [True]),
        "precision": (["vi", "trial"], [True, True]),
    }
    columns, ascending = by[choices.order]
    return trials.sort_values(columns, ascending=ascending, kind="stable", na_position="last")


def _gap(rows: Sequence[Row]) -> Iterable[Row]:
    return [Row("gap")] if rows else []


def _trial_year(record: Mapping[str, Any]) -> str:
    year = record["year"]
    return str(record["trial"]) if math.isnan(year) else f"{record['trial']} ({year:.0f})"


def _partners(record: Mapping[str, Any], say: Labels) -> str:
    names = [
        say(PARTNER_SHORT.get(record[f"{side}_partner"], ""))
        for side in ("experimental", "control")
    ]
    return names[0] if names[0] == names[1] else " v ".join(names)


def _fraction(record: Mapping[str, Any], side: str) -> str:
    return f"{record[f'events_{side}']:.0f}/{record[f'n_{side}']:.0f}"


def _percent(estimate: float, low: float, high: float) -> str:
    shown = format_interval(100 * low, 100 * high, 0)
    return f"{round_half_up(100 * estimate, 0)} ({shown})"


def _level(configuration: Configuration) -> str:
    return f"{configuration.confidence_level:g}%"


def _two_lines(label: str) -> str:
    """Break a long label in the middle, so that its column is no wider than its numbers."""
    if len(label) <= 12 or " " not in label:
        return label
    words = label.split()
    cut = min(range(1, len(words)), key=lambda i: abs(
        len(" ".join(words[:i])) - len(" ".join(words[i:]))))  # fmt: skip
    return f"{' '.join(words[:cut])}\n{' '.join(words[cut:])}"


def _lower_first(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
