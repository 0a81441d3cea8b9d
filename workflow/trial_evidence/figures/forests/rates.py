"""Forest plots of rates: of one regimen, trial by trial, and of all regimens."""

import math
from collections.abc import Callable, Mapping
from operator import itemgetter

from trial_evidence.config.configuration import RateAnalysis
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests.comparisons import PARTNER_NAMES
from trial_evidence.figures.forests.evidence import (
    POOLED,
    Cells,
    Evidence,
    Record,
    chosen,
    headed,
    pooled_rows,
    result_cells,
    trial_rows,
    trial_year,
    weight_cells,
)
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind
from trial_evidence.figures.forests.sentences import (
    exceptions,
    heterogeneity,
    overview_in_words,
    pooled_rates,
    rates_in_words,
    rates_model,
)
from trial_evidence.files import records


def rate_forest(
    evidence: Evidence[RateAnalysis], label: str, subgroups: Mapping[str, str]
) -> Forest:
    """Forest plot of the rates of one regimen, trial by trial.

    Parameters
    ----------
    evidence
        Of this regimen.
    label
        The regimen in words.
    subgroups
        Subgroup -> heading; a heading is printed where there is more than one.
    """
    say, trials = evidence.say, evidence.trials
    cells = chosen(
        (
            Cells(Column("trial", say("Trial (year of report)"), "left", "left"), trial_year),
            Cells(
                Column("counts", say("Events/n"), "right", "left"),
                _fraction("events", "n"),
                lambda lead, _: _fraction("events", "participants")(lead),
            ),
            Cells(
                Column("definition", say("Response"), "left", "left", 2),
                lambda record: str(record["definition"]),
            ),
            weight_cells(evidence),
            result_cells(evidence, _header(evidence)),
        ),
        evidence.analysis.figure.columns,
    )
    kind: RowKind = "overall" if len(subgroups) == 1 else "subtotal"
    rows: list[Row] = []
    for subgroup, heading in subgroups.items():
        group = trials[trials["subgroup"] == subgroup]
        if group.empty:
            continue
        if len(subgroups) > 1:
            words = say(heading)
            rows += headed(rows, words[:1].upper() + words[1:])
        rows += trial_rows(evidence, group, cells)
        pooled = pooled_rows(evidence, subgroup, kind, group, cells)
        rows += [row for row in pooled if row.kind != "secondary"]
    title = f"{evidence.title}: {label}"
    preferred = evidence.configuration.selection.pcr["definition"]
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        notes=tuple(heterogeneity(evidence)) if len(subgroups) == 1 else (),
        footnotes=(
            say(
                "{model}. Trial intervals: Wald on the logit scale. Arms of one trial with the "
                "same regimen are added up; single-arm cohorts are included.",
                model=say(rates_model(evidence.configuration.pooling)),
            ),
            say("Response: {orders}.", orders=say(" before ").join(preferred)),
            *exceptions(evidence, trials),
        ),
        description=rates_in_words(evidence, title, subgroups),
    )


def rate_overview(evidence: Evidence[RateAnalysis], subgroups: Mapping[str, str]) -> Forest:
    """One row a regimen: pooled rates, by partner, and by subgroup where there are several.

    Parameters
    ----------
    evidence
        Of all regimens.
    subgroups
        Subgroup -> words for it.
    """
    say, rates, estimates = evidence.say, evidence.trials, evidence.estimates
    factor = evidence.analysis.effect_modifiers[0].label if len(subgroups) > 1 else ""
    cells = _overview_cells(evidence, factor, subgroups)
    lead = estimates[(estimates["role"] == "lead") & estimates["subgroup"].isin(subgroups)]
    partners = dict(zip(rates["regimen_label"], rates["partner"], strict=True))
    lead = lead.assign(
        partner=lead["experimental"].map(partners),
        agents=lead["experimental"].str.count(r" \+ "),
    ).sort_values(["agents", "experimental"], kind="stable")
    rows: list[Row] = []
    for partner, partner_name in PARTNER_NAMES.items():
        group = lead[lead["partner"] == partner]
        if group.empty:
            continue
        words = "No chemotherapy" if partner == "none" else f"With {partner_name.lower()}"
        rows += headed(rows, say(words))
        for regimen, block in group.groupby("experimental", sort=False):
            name = str(regimen).removesuffix(" alone").partition(" with ")[0]
            for record in records(block):
                texts = {found.column.key: found.trial(record) for found in cells}
                kind: RowKind = "trial" if record["model"] == "single_trial" else "pooled"
                values = itemgetter(*POOLED)(record)
                rows.append(evidence.row(kind, texts | {"trial": name}, values))
                name = ""
    title = evidence.title
    if factor:
        title = say("{title}, by {factor}", title=title, factor=say(factor.lower()))
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        footnotes=(
            say(
                "Pooled on the logit scale, arms of one trial with the same regimen added up: "
                "{models}; squares are single trials. Rates of different trials are not a "
                "comparison of regimens.",
                models=say(pooled_rates(evidence.configuration.pooling)),
            ),
            *exceptions(evidence, rates[rates["subgroup"].isin(subgroups)], readers=False),
        ),
        description=overview_in_words(evidence, title, records(lead), subgroups),
    )


def _overview_cells(
    evidence: Evidence[RateAnalysis], factor: str, subgroups: Mapping[str, str]
) -> tuple[Cells, ...]:
    """Columns of the overview.

    By subgroup there is room for one interval only, and the other figure has the second.
    """
    say, reading = evidence.say, evidence.reading

    def level(record: Record) -> str:
        return say(subgroups[record["subgroup"]].removeprefix(f"{factor.lower()} "))

    def prediction(record: Record) -> str:
        ends = record["pi_low"], record["pi_high"]
        return "" if math.isnan(ends[0]) else reading.interval(*ends)

    def result(record: Record) -> str:
        return evidence.printed(itemgetter(*POOLED)(record))

    header = say("Prediction\ninterval")
    cells = (
        Cells(Column("trial", say("Regimen"), "left", "left"), lambda _: ""),
        Cells(Column("subgroup", say(factor), "left", "left"), level),
        Cells(Column("k", say("Trials"), "right", "left"), lambda record: f"{record['k']:.0f}"),
        Cells(
            Column("counts", say("Events/n"), "right", "left"), _fraction("events", "participants")
        ),
        Cells(Column("result", _header(evidence), "right", "right"), result),
        Cells(Column("pi", header, "right", "right", 1), prediction),
    )
    return tuple(c for c in cells if c.column.key != ("pi" if factor else "subgroup"))


def _fraction(events: str, n: str) -> Callable[[Record], str]:
    return lambda record: f"{record[events]:.0f}/{record[n]:.0f}"


def _axis(evidence: Evidence[RateAnalysis]) -> Axis:
    say, limits = evidence.say, evidence.analysis.figure.axis
    return Axis("logit", None, say("Rate"), "", "", limits, say.decimal_mark)


def _header(evidence: Evidence[RateAnalysis]) -> str:
    return evidence.say("Rate, % ({level}% CI)", level=evidence.level)
