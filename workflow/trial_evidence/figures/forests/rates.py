"""Forest plots of rates: of one regimen, trial by trial, and of all regimens."""

import math
from collections.abc import Callable, Mapping

from trial_evidence.config.configuration import RateAnalysis
from trial_evidence.config.labels import Labels
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests import sentences
from trial_evidence.figures.forests.evidence import POOLED, Cells, Evidence, chosen
from trial_evidence.figures.forests.forest import Column, Forest, Row, RowKind, headed
from trial_evidence.files import Record, records
from trial_evidence.words.printed import capital

# Headings of regimens by their partner.
PARTNERS = {
    "chemotherapy": "With chemotherapy",
    "endocrine": "With endocrine therapy",
    "none": "No chemotherapy",
}


def rate_forest(
    evidence: Evidence[RateAnalysis], label: str, subgroups: Mapping[str, str]
) -> Forest:
    """Forest plot of the rates of one regimen, trial by trial.

    Parameters
    ----------
    evidence
        Of this regimen.
    label
        Name of the regimen.
    subgroups
        Heading by subgroup; headings are printed if there is more than one.
    """
    say, trials = evidence.say, evidence.trials
    pooled = _fraction("events", "participants")
    counts = Column("counts", say("Events/n"), "right", "left")
    definition = Column("definition", say("Definition"), "left", "left", 2)
    cells = chosen(
        (
            evidence.trial_cells(),
            Cells(counts, _fraction("events", "n"), lambda lead, _: pooled(lead)),
            Cells(definition, lambda record: say(str(record["definition"]))),
            evidence.weight_cells(),
            evidence.result_cells(_header(evidence)),
        ),
        evidence.analysis.figure.columns,
    )
    kind: RowKind = "overall" if len(subgroups) == 1 else "subtotal"
    rows: list[Row] = []
    for subgroup, heading in subgroups.items():
        group = trials[trials["subgroup"] == subgroup]
        if len(group):
            rows += headed(rows, capital(say(heading))) if len(subgroups) > 1 else []
            rows += evidence.trial_rows(group, cells)
            rows += evidence.pooled_rows(subgroup, kind, group, cells)
    title = _by_factor(evidence, f"{evidence.title}: {_regimen(say, label)}", subgroups)
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        notes=tuple(sentences.heterogeneity(evidence)) if len(subgroups) == 1 else (),
        footnotes=(
            say(
                "Pooled on the logit scale: {models}. Intervals of single trials are Wald "
                "intervals on the logit scale. Arms of one trial with the same regimen are "
                "combined; single-arm cohorts are included.",
                models=say(sentences.rates_model(evidence.configuration.pooling)),
            ),
            sentences.definitions(evidence),
            *sentences.unlike_others(evidence, trials),
            *sentences.corrected_rates(evidence, trials),
            *sentences.not_pooled(evidence, trials),
            *sentences.readers_differ(evidence, trials),
        ),
        description=sentences.rates_in_words(evidence, title, subgroups),
    )


def _regimen(say: Labels, label: str) -> str:
    """A regimen in the language of the figure: agents keep their names."""
    if label in say.texts:
        return say(label)
    for words in (" in sequence", " alone", " with chemotherapy", " with endocrine therapy"):
        label = label.replace(words, say(words))
    return label


def _factor(evidence: Evidence[RateAnalysis], subgroups: Mapping[str, str]) -> str:
    """The patient factor that defines the subgroups; empty for all patients."""
    factors = {m.subgroups: m.label for m in evidence.analysis.effect_modifiers}
    return factors.get(tuple(subgroups), "")


def _by_factor(evidence: Evidence[RateAnalysis], title: str, subgroups: Mapping[str, str]) -> str:
    """A heading that names the factor if rates are given by its levels."""
    say, factor = evidence.say, _factor(evidence, subgroups)
    return say("{title}, by {factor}", title=title, factor=say(factor.lower())) if factor else title


def rate_overview(evidence: Evidence[RateAnalysis], subgroups: Mapping[str, str]) -> Forest:
    """One row per regimen: pooled rates by partner, and by subgroup if there are several.

    Parameters
    ----------
    evidence
        Of all regimens.
    subgroups
        Label by subgroup.
    """
    say, rates, estimates = evidence.say, evidence.trials, evidence.estimates
    factor = _factor(evidence, subgroups)
    cells = _overview_cells(evidence, factor, subgroups)
    lead = estimates[(estimates["role"] == "lead") & estimates["subgroup"].isin(subgroups)]
    partners = dict(zip(rates["regimen_label"], rates["partner"], strict=True))
    lead = lead.assign(
        partner=lead["experimental"].map(partners),
        agents=lead["experimental"].str.count(r" \+ "),
    ).sort_values(["agents", "experimental"], kind="stable")
    rows: list[Row] = []
    for partner, heading in PARTNERS.items():
        group = lead[lead["partner"] == partner]
        rows += headed(rows, say(heading)) if len(group) else ()
        before = ""
        for record in records(group):
            regimen = record["experimental"]
            name = regimen.removesuffix(" alone").partition(" with ")[0]
            texts = {found.column.key: found.trial(record) for found in cells}
            texts["trial"] = _regimen(say, name) if regimen != before else ""
            kind: RowKind = "trial" if record["model"] == "single_trial" else "pooled"
            rows.append(evidence.row(kind, texts, POOLED(record)))
            before = regimen
    title = _by_factor(evidence, evidence.title, subgroups)
    shown = rates[rates["subgroup"].isin(subgroups)]
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        footnotes=(
            say(
                "Pooled on the logit scale: {models}. Arms of one trial with the same regimen are "
                "combined; squares are single trials. Rates from different trials are not a "
                "randomised comparison of regimens.",
                models=say(sentences.rates_model(evidence.configuration.pooling)),
            ),
            *sentences.unlike_others(evidence, shown),
            *sentences.not_pooled(evidence, shown, False),
        ),
        description=sentences.overview_in_words(evidence, title, records(lead), subgroups),
    )


def _overview_cells(
    evidence: Evidence[RateAnalysis], factor: str, subgroups: Mapping[str, str]
) -> tuple[Cells, ...]:
    """Columns of the overview.

    By subgroup there is room for one interval only; the figure of all patients has both.
    """
    say = evidence.say

    def level(record: Record) -> str:
        return say(subgroups[record["subgroup"]].removeprefix(f"{factor.lower()} "))

    def prediction(record: Record) -> str:
        ends = record["pi_low"], record["pi_high"]
        return "" if math.isnan(ends[0]) else say.numbers(evidence.interval(*ends))

    fraction = _fraction("events", "participants")
    # By subgroup, numbers move first on a narrow page, so that names need not be broken or cut.
    makes_way = 1 if factor else 0
    cells = (
        Cells(Column("trial", say("Regimen"), "left", "left")),
        Cells(Column("subgroup", say(factor), "left", "left"), level),
        Cells(
            Column("k", say("Trials"), "right", "left", makes_way),
            lambda record: f"{record['k']:.0f}",
        ),
        Cells(Column("counts", say("Events/n"), "right", "left", makes_way), fraction),
        Cells(
            Column("result", _header(evidence), "right", "right"),
            lambda record: evidence.printed(POOLED(record)),
        ),
        Cells(Column("pi", say("Prediction\ninterval"), "right", "right", 1), prediction),
    )
    absent = "pi" if factor else "subgroup"
    return tuple(found for found in cells if found.column.key != absent)


def _fraction(events: str, n: str) -> Callable[[Record], str]:
    return lambda record: f"{record[events]:.0f}/{record[n]:.0f}"


def _axis(evidence: Evidence[RateAnalysis]) -> Axis:
    say, limits = evidence.say, evidence.analysis.figure.axis
    return Axis(
        "logit", None, say("Rate"), limits=limits, decimal_mark=say.decimal_mark,
        percent_sign=say("%"),
    )  # fmt: skip


def _header(evidence: Evidence[RateAnalysis]) -> str:
    return evidence.say("Rate, % ({level}% CI)", level=evidence.level)
