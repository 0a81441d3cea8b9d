"""From evidence and estimates to the forest plots of an analysis: rows, texts, notes."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trial_evidence.configuration import (
    Analysis,
    Configuration,
    EffectModifier,
    RateAnalysis,
)
from trial_evidence.figures.axis import Axis, AxisScale
from trial_evidence.figures.forest import Column, Forest, Row, RowKind
from trial_evidence.figures.numbers import format_interval, format_number, format_p, round_half_up
from trial_evidence.files import records
from trial_evidence.words import MEASURE_NAMES, MODEL_NAMES

NOTHING_POOLED = "\N{EN DASH}"
PARTNER_NAMES = {
    "chemotherapy": "Chemotherapy",
    "endocrine": "Endocrine therapy",
    "none": "None",
}
ASSESSOR_NAMES = {"BICR": "central", "investigator": "inv."}
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

    Returns
    -------
    Forest
    """
    whole = trials[trials["subgroup"] == "all"]
    table = _Table(analysis, measure, whole)
    shown = "added" if analysis.subgroups == "added_agents" else analysis.subgroups
    rows: list[Row] = []
    for value, group in whole.groupby(analysis.subgroups, sort=False):
        heading = _heading(analysis.subgroups, str(group[shown].iloc[0]))
        rows += [*_gap(rows), Row("heading", {"trial": heading})]
        rows += table.trial_rows(_sorted(group))
        if analysis.pool != "none":
            name = f"{analysis.subgroups}={value}"
            rows += table.pooled_rows(_of(estimates, name), "subtotal", group)
    overall = _of(estimates, "all")
    lead = _role(overall, "lead")
    if analysis.pool == "overall" and lead is not None and whole[analysis.subgroups].nunique() == 1:
        rows = [row for row in rows if row.kind != "subtotal"]
    if analysis.pool == "overall" and lead is not None and lead["model"] != "single_trial":
        rows += [*_gap(rows), *table.pooled_rows(overall, "overall", whole)]
    if whole.empty:
        rows.append(Row("text", {"trial": "No trial qualifies."}))
    notes = [*_heterogeneity(overall), *_difference(estimates, analysis.subgroups),
             *_other_models(overall, measure)] if analysis.pool == "overall" else []  # fmt: skip
    return Forest(
        title=analysis.title,
        columns=table.columns(),
        rows=tuple(rows),
        axis=_axis(measure, analysis.arm_labels),
        overall=None if analysis.pool != "overall" else _centre(overall, measure),
        notes=tuple(notes),
        footnotes=tuple(_footnotes(analysis, whole, overall, set_aside, configuration)),
        description=_description(analysis.title, measure, whole, overall),
    )


def modifier_forest(
    analysis: Analysis,
    modifier: EffectModifier,
    measure: str,
    trials: pd.DataFrame,
    estimates: pd.DataFrame,
    set_aside: pd.DataFrame,
    configuration: Configuration,
) -> Forest:
    """Forest plot of an analysis by the levels of a factor inside its trials.

    Parameters
    ----------
    analysis, measure, trials, estimates, set_aside, configuration
        As for :func:`analysis_forest`.
    modifier : EffectModifier
        Only trials that report both its levels are shown.

    Returns
    -------
    Forest
    """
    levels = [f"{modifier.factor}={level}" for level in modifier.levels]
    inside = trials[trials["subgroup"].isin(levels)]
    table = _Table(analysis, measure, inside)
    rows: list[Row] = []
    for level, name in zip(modifier.levels, levels, strict=True):
        group = _sorted(inside[inside["subgroup"] == name])
        rows += [*_gap(rows), Row("heading", {"trial": f"{modifier.label} {level}"})]
        rows += table.trial_rows(group)
        rows += table.pooled_rows(_of(estimates, name), "subtotal", group)
    title = f"{analysis.title}, by {modifier.label.lower()}"
    own = set_aside[set_aside["subgroup"] == modifier.factor]
    return Forest(
        title=title,
        columns=table.columns(),
        rows=tuple(rows),
        axis=_axis(measure, analysis.arm_labels),
        notes=tuple(_interaction(estimates, modifier)),
        footnotes=tuple(
            _footnotes(analysis, inside, _of(estimates, levels[0]), own, configuration)
        ),
        description=_description(title, measure, inside, _of(estimates, levels[0])),
    )


def rate_forest(
    analysis: RateAnalysis,
    label: str,
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    subgroups: Mapping[str, str],
    configuration: Configuration,
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

    Returns
    -------
    Forest
    """
    columns = (
        Column("trial", "Trial (year of report)", "left", "left"),
        Column("counts", "Events/n", "right", "left"),
        Column("definition", "Response", "left", "left", priority=2),
        Column("weight", "Weight\n(%)", "right", "right", priority=1),
        Column("result", f"Rate, % ({_level(configuration)} CI)", "right", "right"),
    )
    rows: list[Row] = []
    for subgroup, heading in subgroups.items():
        group = _sorted(rates[rates["subgroup"] == subgroup])
        if group.empty:
            continue
        rows += _gap(rows)
        if len(subgroups) > 1:
            rows.append(Row("heading", {"trial": heading[:1].upper() + heading[1:]}))
        rows += [_rate_row(record) for record in records(group)]
        kind: RowKind = "overall" if len(subgroups) == 1 else "subtotal"
        pooled = _of(estimates, subgroup)
        rows += _rate_pooled(pooled, kind)
    title = f"{analysis.title}: {label}"
    return Forest(
        title=title,
        columns=columns,
        rows=tuple(rows),
        axis=Axis("logit", None, "Rate", "", ""),
        notes=tuple(_heterogeneity(_of(estimates, "all"))) if len(subgroups) == 1 else (),
        footnotes=tuple(_rate_footnotes(rates, configuration)),
        description=_rate_description(title, estimates, subgroups),
    )


def rate_overview(
    analysis: RateAnalysis,
    rates: pd.DataFrame,
    estimates: pd.DataFrame,
    subgroups: Mapping[str, str],
    configuration: Configuration,
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

    Returns
    -------
    Forest
    """
    factor = analysis.effect_modifiers[0].label if len(subgroups) > 1 else ""
    # By subgroup there is room for one interval only, and the other figure has the second.
    several = [Column("subgroup", factor, "left", "left")] if factor else []
    prediction = [Column("pi", "Prediction\ninterval", "right", "right", 1)] if not factor else []
    columns = (
        Column("trial", "Regimen", "left", "left"),
        *several,
        Column("k", "Trials", "right", "left"),
        Column("counts", "Events/n", "right", "left"),
        Column("result", f"Rate, % ({_level(configuration)} CI)", "right", "right"),
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
        rows += [*_gap(rows), Row("heading", {"trial": words})]
        for regimen, block in group.groupby("experimental", sort=False):
            name = str(regimen).removesuffix(" alone").partition(" with ")[0]
            for record in records(block):
                level = subgroups[record["subgroup"]].removeprefix(f"{factor.lower()} ")
                rows.append(_overview_row(record, name, level))
                name = ""
    by = f", by {factor.lower()}" if factor else ""
    title = f"{analysis.title}{by}"
    return Forest(
        title=title,
        columns=columns,
        rows=tuple(rows),
        axis=Axis("logit", None, "Rate", "", ""),
        footnotes=(
            "Pooled on the logit scale, arms of one trial with the same regimen added up: random "
            "effects (REML, Hartung–Knapp) from three trials; Bayesian for two; squares are "
            "single trials. Rates of different trials are not a comparison of regimens.",
            *_not_pooled(rates[rates["subgroup"].isin(list(subgroups))]),
        ),
        description=f"{title}: {len(lead)} pooled or single rates.",
    )


@dataclass(frozen=True)
class _Table:
    """Columns and rows of one analysis; optional columns appear where their content varies."""

    analysis: Analysis
    measure: str
    trials: pd.DataFrame

    @property
    def reading(self) -> _Reading:
        return _READINGS[self.measure]

    @property
    def counted(self) -> bool:
        return self.measure != "hazard_ratio"

    def columns(self) -> tuple[Column, ...]:
        """Columns from left to right."""
        found = [Column("trial", "Trial (year of report)", "left", "left")]
        varying = {"control": self._control_varies, "partner": self._partner_varies}
        beside = [word for word, varies in varying.items() if varies]
        if beside:
            header = ", ".join(beside)
            found.append(Column("control", header[0].upper() + header[1:], "left", "left", 2))
        if self.counted:
            found += [
                Column(key, f"{_two_lines(label)}\nevents/n", "right", "left")
                for key, label in zip(
                    ("experimental", "control_counts"), self.analysis.arm_labels, strict=True
                )
            ]
        else:
            found.append(Column("source", "Result", "left", "left", 3))
        if self.analysis.pool != "none":
            found.append(Column("weight", "Weight\n(%)", "right", "right", 1))
        name = MEASURE_NAMES[self.measure]
        return (*found, Column("result", f"{name}\n(95% CI)", "right", "right"))

    def trial_rows(self, group: pd.DataFrame) -> Iterator[Row]:
        """One row a trial, pooled or only shown."""
        for record in records(group):
            pooled = record["pooled"] == "yes"
            known = not math.isnan(record["yi"])
            weight = record["weight"]
            texts = {
                "trial": _trial_year(record),
                "control": self._control(record),
                "weight": round_half_up(weight, 1) if not math.isnan(weight) else NOTHING_POOLED,
                "result": self._result(record["estimate"], record["estimate_low"],
                                       record["estimate_high"]) if known else "not estimable",
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
            )

    def pooled_rows(
        self, found: pd.DataFrame, kind: RowKind, trials: pd.DataFrame
    ) -> Iterator[Row]:
        """The leading result, its co-primary, and the prediction interval."""
        lead = _role(found, "lead")
        if lead is None or lead["model"] == "single_trial":
            return
        name = "All trials" if kind == "overall" else "Subtotal"
        yield self._pooled_row(lead, kind, f"{name} ({_short_state(lead)})", trials)
        second = _role(found, "co-primary")
        if second is not None:
            yield self._pooled_row(second, "secondary", MODEL_NAMES[second["model"]], None)
        if not math.isnan(lead["pi_low"]) and kind == "overall":
            yield Row(
                "prediction",
                {
                    "trial": "95% prediction interval",
                    "result": f"({format_interval(lead['pi_low'], lead['pi_high'], 2)})",
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
            texts["weight"] = round_half_up(float(inside["weight"].sum()), 1)
            if self.counted:
                for side, key in (("experimental", "experimental"), ("control", "control_counts")):
                    sums = inside[[f"events_{side}", f"n_{side}"]].sum()
                    texts[key] = f"{sums.iloc[0]:.0f}/{sums.iloc[1]:.0f}"
        to = self.reading.to_analysis
        return Row(kind, texts, to(estimate), to(low), to(high))

    def _result(self, estimate: float, low: float, high: float) -> str:
        digits = self.reading.digits
        return f"{format_number(estimate, digits)} ({format_interval(low, high, digits)})"

    def _source(self, record: Mapping[str, Any]) -> str:
        several = self.trials["outcome"].nunique() > 1
        parts = [
            str(record["outcome"]) if several else "",
            ASSESSOR_NAMES.get(str(record["assessor"]), ""),
            str(record["analysis_cut"]),
        ]
        return ", ".join(filter(None, parts))

    def _control(self, record: Mapping[str, Any]) -> str:
        """Control arm and partner, as far as they vary between the trials."""
        none = record["control_agents"] == "none"
        parts = [
            "" if not self._control_varies else "No HER2 agent" if none else str(record["control"]),
            _partners(record) if self._partner_varies else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def _control_varies(self) -> bool:
        return self.trials["control_agents"].nunique() > 1

    @property
    def _partner_varies(self) -> bool:
        if self.analysis.subgroups == "experimental_partner":
            return False
        return len({_partners(record) for record in records(self.trials)}) > 1


def _axis(measure: str, arm_labels: tuple[str, str]) -> Axis:
    reading = _READINGS[measure]
    first, second = (f"Favours {_lower_first(label)}" for label in arm_labels)
    low, high = (first, second) if reading.benefit_below else (second, first)
    return Axis(reading.scale, reading.null, "", low, high)


def _heading(column: str, value: str) -> str:
    if column == "experimental_partner":
        return {
            "none": "Nothing in place of chemotherapy",
            "endocrine": "Endocrine therapy in place of chemotherapy",
        }.get(value, PARTNER_NAMES.get(value, value))
    return f"Added: {value}" if column == "added_agents" else value


def _short_state(lead: Mapping[str, Any]) -> str:
    k = f"k = {lead['k']:.0f}"
    if lead["model"] == "bayesian":
        return f"{k}; Bayesian"
    tau2, i2 = lead["tau2"], lead["i2"]
    return f"{k}; I² = {round_half_up(i2, 0)}%; τ² = {round_half_up(tau2, 3)}"


def _heterogeneity(overall: pd.DataFrame) -> Iterator[str]:
    """Tau2, I2 and Q of the random-effects model in words."""
    found = overall[overall["model"] == "random_reml_hk"]
    if found.empty:
        return
    record = found.iloc[0]
    if record["k"] == 2:
        yield (
            "Heterogeneity cannot be estimated from two trials "
            f"(Q = {round_half_up(record['q'], 2)}, df = 1, {format_p(record['q_p'])})."
        )
        return
    interval = format_interval(record["tau2_low"], record["tau2_high"], 3)
    yield (
        f"Heterogeneity: τ² = {round_half_up(record['tau2'], 3)} (95% CI {interval}); "
        f"I² = {round_half_up(record['i2'], 0)}% "
        f"(from Q: {round_half_up(record['i2_from_q'], 0)}%); "
        f"Q = {round_half_up(record['q'], 2)}, df = {record['q_df']:.0f}, "
        f"{format_p(record['q_p'])}."
    )


def _difference(estimates: pd.DataFrame, column: str) -> Iterator[str]:
    found = estimates[
        (estimates["model"] == "subgroup_difference") & (estimates["subgroup"] == column)
    ]
    for record in records(found):
        if math.isnan(record["q"]):
            yield f"Subgroup differences: {_lower_first(record['remark'])}"
        else:
            statistic = record["remark"].partition(";")[0]
            yield f"Test for subgroup differences: {statistic}, {format_p(record['p_value'])}."


def _interaction(estimates: pd.DataFrame, modifier: EffectModifier) -> Iterator[str]:
    found = estimates[estimates["subgroup"] == modifier.factor]
    lead = _role(found, "lead")
    if lead is None:
        return
    kind = str(lead["measure"]).replace("_", " ").removesuffix("s")
    text = (
        f"Interaction within trials ({kind}, {modifier.levels[0]} v {modifier.levels[1]}): "
        f"{format_number(lead['estimate'])} "
        f"(95% CI {format_interval(lead['ci_low'], lead['ci_high'])}"
    )
    p_value = lead["p_value"]
    model = f"; {MODEL_NAMES[str(lead['model'])]}"
    yield f"{text}{'' if math.isnan(p_value) else '; ' + format_p(p_value)}{model})."


def _other_models(overall: pd.DataFrame, measure: str) -> Iterator[str]:
    """The same trials by the models that do not lead, so that the choice can be judged."""
    digits = _READINGS[measure].digits
    parts = []
    for record in records(overall):
        if record["role"] or record["model"] not in MODEL_NAMES:
            continue
        # With two trials the interval on one degree of freedom says only that k is 2.
        interval = format_interval(record["ci_low"], record["ci_high"], digits)
        name = MODEL_NAMES[record["model"]]
        parts.append(f"{name} {format_number(record['estimate'], digits)} ({interval})")
    bayesian = overall[overall["model"] == "bayesian"]
    if parts:
        yield f"Other models: {'; '.join(parts)}."
    if not bayesian.empty and not math.isnan(bayesian["probability_of_benefit"].iloc[0]):
        probability = 100 * bayesian["probability_of_benefit"].iloc[0]
        shown = "> 99.9" if probability > 99.9 else round_half_up(probability, 1)
        yield f"Posterior probability that the mean effect is a benefit: {shown}%."


def _footnotes(
    analysis: Analysis,
    trials: pd.DataFrame,
    overall: pd.DataFrame,
    set_aside: pd.DataFrame,
    configuration: Configuration,
) -> Iterator[str]:
    lead = _role(overall, "lead")
    if analysis.pool == "none":
        yield "Trial by trial: these comparisons are not alike enough to be pooled."
    elif lead is not None and lead["model"] != "single_trial":
        yield _model_sentence(str(lead["model"]), str(lead["remark"]))
    yield _selection_sentence(analysis, trials, configuration)
    deviations = _deviations(analysis, trials, configuration)
    if deviations:
        yield "Deviating: " + "; ".join(deviations) + "."
    yield from _not_pooled(trials)
    yield from _readers_differ(trials)
    yield from _left_out(trials, set_aside)


def _model_sentence(model: str, remark: str) -> str:
    if model == "bayesian":
        return (
            f"{remark} Half-normal prior on τ, flat prior on the mean; diamond: posterior median "
            "and shortest 95% interval."
        )
    return (
        f"{remark} Squares: area follows weight. "
        "Prediction interval: t with k − 1 degrees of freedom."
        if remark.startswith(("Three", "Four"))
        else "Random effects, REML; Hartung–Knapp interval, never narrower than Wald; prediction "
        "interval on t with k − 1 degrees of freedom. Squares: area follows weight."
    )


def _selection_sentence(
    analysis: Analysis, trials: pd.DataFrame, configuration: Configuration
) -> str:
    orders = configuration.selection.pcr if analysis.is_pcr else (
        configuration.selection.hazard_ratio)  # fmt: skip
    assessed = not analysis.is_pcr and (trials["assessor"] != "not applicable").any()
    first = ["definition"] if analysis.is_pcr else ["analysis"]
    parts = [
        " before ".join(w for w in orders[column] if w != "not applicable")
        for column in (["assessor", *first] if assessed else first)
    ]
    if len(analysis.endpoints) > 1:
        parts.insert(0, " before ".join(analysis.endpoints))
    admitted = " or ".join(configuration.selection.admit["verification"])
    return f"One result a trial: {'; '.join(parts)}; {admitted} verification only."


def _deviations(
    analysis: Analysis, trials: pd.DataFrame, configuration: Configuration
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
                add(f"response by {record['definition']}", record)
            if " / " in record["population"]:
                add("analysis populations differ between the arms", record)
            if record["corrected"] == "yes":
                add("0.5 added to each cell because one is empty", record)
            continue
        if record["endpoint"] != analysis.endpoints[0]:
            add(f"{record['endpoint']} in place of {analysis.endpoints[0]}", record)
        if record["assessor"] == "investigator" and record["endpoint"] == "PFS":
            add("assessed by investigators", record)
        if record["ci_level"] not in (configuration.confidence_level,) and not math.isnan(
            record["ci_level"]
        ):
            add(f"{record['ci_level']:g}% interval reported, converted", record)
        if record["se_source"] not in ("interval", ""):
            add(f"standard error from the {record['se_source']}", record)
        if record["analysis_cut"] == "interim":
            add("interim analysis", record)
        if record["derivation"] == "digitised_curve":
            add("read off the published curve", record)
        if record["inverted"] == "yes":
            add("hazard ratio inverted", record)
    return [f"{what}: {', '.join(names)}" for what, names in found.items()]


def _not_pooled(trials: pd.DataFrame) -> Iterator[str]:
    """Trials that are shown but not pooled, with the reason."""
    for record in records(trials[trials["pooled"] == "no"].drop_duplicates("trial_id")):
        yield f"Not pooled: {record['trial']}: {record['not_pooled_reason'].rstrip('.')}."


def _readers_differ(trials: pd.DataFrame) -> Iterator[str]:
    """Pooled numbers that two readers found different and nobody has settled."""
    pooled = trials[(trials["pooled"] == "yes") & (trials["readers_differ"] != "")]
    named = [
        f"{record['trial']} ({record['readers_differ']})"
        for record in records(pooled.drop_duplicates(["trial_id", "readers_differ"]))
    ]
    if named:
        yield f"Two readers differ, not settled: {'; '.join(named)}."


def _left_out(trials: pd.DataFrame, set_aside: pd.DataFrame) -> Iterator[str]:
    """Trials of which every row was set aside."""
    factor = "all" if trials.empty or (trials["subgroup"] == "all").any() else None
    rows = set_aside if factor is None else set_aside[set_aside["subgroup"] == factor]
    missing = rows[~rows["trial_id"].isin(trials["trial_id"])]
    if missing.empty:
        return
    parts = []
    for trial, group in missing.groupby("trial", sort=False):
        reasons = dict.fromkeys(group["reason"].map(_brief_reason))
        parts.append(f"{trial} ({'; '.join(reasons)})")
    yield "No result admitted: " + ", ".join(parts) + "."


def _brief_reason(reason: str) -> str:
    if reason.startswith("verification is "):
        return reason.removeprefix("verification is ").partition(" (")[0]
    if reason.startswith("status is "):
        return reason.removeprefix("status is ").partition(" (")[0]
    if reason.startswith("no complete pair"):
        return "one level or arm missing"
    return reason


def _description(title: str, measure: str, trials: pd.DataFrame, overall: pd.DataFrame) -> str:
    names = ", ".join(dict.fromkeys(trials["trial"]))
    text = f"Forest plot. {title}. Trials: {names or 'none'}."
    lead = _role(overall, "lead")
    if lead is None or lead["model"] == "single_trial" or lead["subgroup"] != "all":
        return text
    low, high = lead["ci_low"], lead["ci_high"]
    return (
        f"{text} Pooled {MEASURE_NAMES[measure].lower()} "
        f"{format_number(lead['estimate'])} (95% interval {format_interval(low, high)})"
        f", k = {lead['k']:.0f}."
    )


def _rate_row(record: Mapping[str, Any]) -> Row:
    pooled = record["pooled"] == "yes"
    weight = record["weight"]
    values = [record[c] for c in ("estimate", "estimate_low", "estimate_high")]
    return Row(
        "trial" if pooled else "unpooled",
        {
            "trial": _trial_year(record),
            "counts": f"{record['events']:.0f}/{record['n']:.0f}",
            "definition": str(record["definition"]),
            "weight": NOTHING_POOLED if math.isnan(weight) else round_half_up(weight, 1),
            "result": _percent(*values),
        },
        _logit(values[0]),
        _logit(values[1]),
        _logit(values[2]),
        None if math.isnan(weight) else weight,
    )


def _rate_pooled(found: pd.DataFrame, kind: RowKind) -> Iterator[Row]:
    lead = _role(found, "lead")
    if lead is None or lead["model"] == "single_trial":
        return
    values = [lead[c] for c in ("estimate", "ci_low", "ci_high")]
    name = "All trials" if kind == "overall" else "Subtotal"
    counts = f"{lead['events']:.0f}/{lead['participants']:.0f}"
    yield Row(
        kind,
        {"trial": f"{name} ({_short_state(lead)})", "counts": counts,
         "weight": "100.0", "result": _percent(*values)},
        *(_logit(value) for value in values),
    )  # fmt: skip
    interval = [lead[c] for c in ("pi_low", "pi_high")]
    if not math.isnan(interval[0]):
        shown = format_interval(100 * interval[0], 100 * interval[1], 0)
        yield Row(
            "prediction",
            {"trial": "95% prediction interval", "result": f"({shown})"},
            None,
            *(_logit(value) for value in interval),
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
        *(_logit(value) for value in values),
    )


def _rate_footnotes(rates: pd.DataFrame, configuration: Configuration) -> Iterator[str]:
    preferred = configuration.selection.pcr["definition"]
    yield (
        "Random effects on the logit scale (REML, Hartung–Knapp, never narrower than Wald); two "
        "trials: Bayesian. Trial intervals: Wald on the logit scale. Arms of one trial with the "
        "same regimen are added up; single-arm cohorts are included."
    )
    yield f"Response: {' before '.join(preferred)}."
    yield from _not_pooled(rates)
    yield from _readers_differ(rates)


def _rate_description(title: str, estimates: pd.DataFrame, subgroups: Mapping[str, str]) -> str:
    parts = []
    for subgroup, name in subgroups.items():
        lead = _role(_of(estimates, subgroup), "lead")
        if lead is not None:
            values = [lead[c] for c in ("estimate", "ci_low", "ci_high")]
            parts.append(f"{name or 'all patients'} {_percent(*values)} %")
    return f"Forest plot of rates. {title}. Pooled: {'; '.join(parts)}."


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


def _sorted(trials: pd.DataFrame) -> pd.DataFrame:
    return trials.sort_values(["year", "trial"], kind="stable", na_position="last")


def _gap(rows: Sequence[Row]) -> Iterable[Row]:
    return [Row("gap")] if rows else []


def _trial_year(record: Mapping[str, Any]) -> str:
    year = record["year"]
    return str(record["trial"]) if math.isnan(year) else f"{record['trial']} ({year:.0f})"


def _partners(record: Mapping[str, Any]) -> str:
    names = [
        PARTNER_SHORT.get(record[f"{side}_partner"], "") for side in ("experimental", "control")
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
