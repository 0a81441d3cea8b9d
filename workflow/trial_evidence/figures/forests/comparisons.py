"""Forest plots of comparisons of two arms: by subgroups of trials, and by patient subgroup."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isnan
from operator import itemgetter

import pandas as pd

from trial_evidence.config.configuration import Analysis, EffectModifier
from trial_evidence.config.labels import Labels
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests import sentences
from trial_evidence.figures.forests.axes import comparison_axis
from trial_evidence.figures.forests.evidence import Cells, Evidence, chosen
from trial_evidence.figures.forests.forest import Column, Forest, Row, gap, headed
from trial_evidence.files import Record, records
from trial_evidence.words.printed import PARTNERS, capital

# Partners of the HER2 agents: label next to a trial.
PARTNER_SHORT = {"chemotherapy": "chemo", "endocrine": "endocrine", "none": "alone"}
ASSESSOR_NAMES = {"BICR": "central", "investigator": "inv."}
# The five domains of RoB 2 and the overall judgement.
LIGHTS = ("1", "2", "3", "4", "5", "All")
JUDGEMENTS_NOTE = (
    "Risk of bias (RoB 2): + low, ? some concerns, − high. 1 randomisation, 2 deviations from "
    "intended interventions, 3 missing outcome data, 4 measurement of the outcome, 5 selection of "
    "the reported result. Blank: not assessed."
)


def analysis_forest(evidence: Evidence[Analysis]) -> Forest:
    """Forest plot of an analysis, by subgroups of trials."""
    say, analysis, column = evidence.say, evidence.analysis, evidence.analysis.subgroups
    trials = evidence.trials[evidence.trials["subgroup"] == "all"]
    cells = _cells(evidence, trials)
    overall = evidence.pooled("all") if analysis.pool == "overall" else None
    subtotals = analysis.pool != "none" and (overall is None or trials[column].nunique() > 1)
    rows: list[Row] = []
    for value, group in trials.groupby(column, sort=False):
        if column == "added_agents":
            heading = say("Added: {agents}", agents=group["added"].iloc[0])
        elif column == "experimental_partner":
            heading = say(PARTNERS.get(str(value), str(value)))
        else:
            heading = say(str(value))
        rows += [*headed(rows, heading), *evidence.trial_rows(group, cells)]
        if subtotals:
            rows += _subtotal(evidence, f"{column}={value}", group, cells)
    if overall is not None:
        rows += [*gap(rows), *evidence.pooled_rows("all", "overall", trials, cells)]
    if trials.empty:
        rows.append(Row("text", {"trial": say("No trial qualifies.")}))
    notes, details = (
        (
            *sentences.heterogeneity(evidence, full=full),
            *sentences.difference(evidence, column),
            *sentences.other_models(evidence, full=full),
        )
        if analysis.pool == "overall"
        else ()
        for full in (False, True)
    )
    subtotalled = [evidence.pooled(f"{column}={value}") for value in trials[column].unique()]
    found = sentences.group_in_words(evidence, trials, evidence.pooled("all"))
    return evidence.forest(
        evidence.title,
        cells,
        rows,
        _axis(evidence),
        overall=None if overall is None else evidence.place(overall["estimate"]),
        notes=notes,
        details=details,
        footnotes=tuple(
            sentences.footnotes(
                evidence, trials, "all", evidence.set_aside, subtotalled if subtotals else ()
            )
        ),
        description=" ".join(["Forest plot.", f"{evidence.title}.", *found]),
    )


def modifier_forest(evidence: Evidence[Analysis], modifier: EffectModifier) -> Forest:
    """Forest plot of an analysis, by the levels of a factor within its trials."""
    say = evidence.say
    levels = dict(zip(modifier.subgroups, modifier.levels, strict=True))
    trials = evidence.trials[evidence.trials["subgroup"].isin(levels)]
    aside = evidence.set_aside[evidence.set_aside["subgroup"] == modifier.factor]
    cells = _cells(evidence, trials)
    title = say("{title}, by {factor}", title=evidence.title, factor=say(modifier.label.lower()))
    rows: list[Row] = []
    said = ["Forest plot.", f"{title}."]
    for name, level in levels.items():
        group = trials[trials["subgroup"] == name]
        heading = say(f"{modifier.label} {level}")
        rows += [*headed(rows, heading), *evidence.trial_rows(group, cells)]
        rows += _subtotal(evidence, name, group, cells)
        said += sentences.group_in_words(evidence, group, evidence.pooled(name), level)
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        notes=tuple(sentences.interaction(evidence, modifier)),
        footnotes=tuple(
            sentences.footnotes(
                evidence, trials, next(iter(levels)), aside, map(evidence.pooled, levels)
            )
        ),
        description=" ".join(said),
    )


def harm_forest(title: str, harms: Sequence[Evidence[Analysis]]) -> Forest:
    """Forest plot of the harms of a setting, one block per harm; subtotals share a definition."""
    # Harms are rare: a difference of one patient in a hundred has to be visible.
    finer = [m.digits + (not m.is_ratio) for m in (harm.measure for harm in harms)]
    harms = [
        replace(harm, measure=replace(harm.measure, digits=digits))
        for harm, digits in zip(harms, finer, strict=True)
    ]
    first = harms[0]
    title = first.by_measure(title)
    every = pd.concat([harm.trials for harm in harms])
    added = Cells(Column("added", first.say("Added"), "left", "left"), itemgetter("added"))
    trial, *others = _cells(first, every)
    kept = ("experimental", "control_counts", "result")
    cells = (trial, added, *(found for found in others if found.column.key in kept))
    rows: list[Row] = []
    said: list[str] = []
    subtotals: list[Record | None] = []
    for harm in harms:
        if harm.trials.empty:
            continue
        rows += headed(rows, harm.say(harm.analysis.labels[0]))
        for agents, group in harm.trials.groupby("added_agents", sort=False):
            rows += harm.trial_rows(group, cells)
            subgroup = f"{harm.analysis.subgroups}={agents}"
            rows += _subtotal(harm, subgroup, group, cells)
            subtotals.append(harm.pooled(subgroup))
            level = f"{harm.say(harm.analysis.labels[0])}, {group['added'].iloc[0]} added"
            said += sentences.group_in_words(harm, group, harm.pooled(subgroup), level)
    return first.forest(
        title,
        cells,
        rows,
        _axis(first),
        footnotes=tuple(sentences.of_harms(first, every, subtotals)),
        description=" ".join(["Forest plot.", f"{title}.", *said]),
    )


def _subtotal(
    evidence: Evidence[Analysis], name: str, group: pd.DataFrame, cells: Sequence[Cells]
) -> Iterator[Row]:
    """The results of a group without the prediction interval, shown for all trials only."""
    rows = evidence.pooled_rows(name, "subtotal", group, cells)
    return (row for row in rows if row.kind != "prediction")


def _arms(evidence: Evidence[Analysis]) -> tuple[str, str]:
    """Both arms in the language of the figure, or else both as they are configured."""
    say, (first, second) = evidence.say, evidence.analysis.arm_labels
    known = first in say.texts and second in say.texts
    return (say(first), say(second)) if known else (first, second)


def _axis(evidence: Evidence[Analysis]) -> Axis:
    """The axis; limits from the configuration apply to the analysis's first measure only."""
    say, analysis, name = evidence.say, evidence.analysis, evidence.measure.name
    return comparison_axis(
        name,
        _arms(evidence),
        analysis.fewer_is_better,
        favours=say("Favours {arm}"),
        limits=analysis.figure.axis if name == analysis.measures[0] else None,
        decimal_mark=say.decimal_mark,
    )


def _cells(evidence: Evidence[Analysis], trials: pd.DataFrame) -> tuple[Cells, ...]:
    """Columns from left to right; optional ones are included only if their content varies."""
    say, analysis, rows = evidence.say, evidence.analysis, records(trials)

    def control(record: Record) -> str:
        none = record["control_agents"] == "none"
        return say("No HER2 agent") if none else str(record["control"])

    def partners(record: Record) -> str:
        names = [
            say(PARTNER_SHORT.get(record[f"{side}_partner"], ""))
            for side in ("experimental", "control")
        ]
        given = say(" v ").join(dict.fromkeys(names))
        # A control of no agent and no partner is not given "alone".
        nothing = record["control_agents"] == "none" and given == say(PARTNER_SHORT["none"])
        return "" if nothing else given

    def source(record: Record) -> str:
        parts = [
            str(record["outcome"]) if several else "",
            say(ASSESSOR_NAMES.get(str(record["assessor"]), "")),
            say(str(record["analysis_cut"])),
        ]
        return ", ".join(filter(None, parts))

    def follow_up(record: Record) -> str:
        months = record["median_followup_months"]
        return "" if isnan(months) else say.numbers(f"{months:g}")

    several = trials["outcome"].nunique() > 1
    varying = {"control": control} if trials["control_agents"].nunique() > 1 else {}
    if analysis.subgroups != "experimental_partner" and len({partners(row) for row in rows}) > 1:
        varying["partner"] = partners
    header = capital(", ".join(map(say, varying)))
    months = say("Follow-up\n(months)")
    unit = f" {say('months')}"
    switch = "" if "follow_up" in (analysis.figure.columns or ()) else "follow_up"
    followed = Column("follow_up", months, "right", "left", 3, unit=unit, switch=switch)
    lights, note = tuple(map(say, LIGHTS)), say(JUDGEMENTS_NOTE)
    bias = Column("risk_of_bias", say("Risk of bias"), "center", "right", 4, lights, note)
    result = f"{say(evidence.measure.title)}\n({say('{level}% CI', level=evidence.level)})"
    counted = evidence.measure.kind == "counts"
    first, second = _arms(evidence)
    cells = {
        evidence.trial_cells(): True,
        Cells(
            Column("control", header, "left", "left", 2),
            lambda record: ", ".join(filter(None, (text(record) for text in varying.values()))),
        ): bool(varying),
        _counts("experimental", "experimental", first, say): counted,
        _counts("control_counts", "control", second, say): counted,
        Cells(Column("source", say("Result"), "left", "left", 3), source): not counted,
        Cells(followed, follow_up): any(map(follow_up, rows)),
        evidence.weight_cells(): analysis.pool != "none",
        evidence.result_cells(result): True,
        Cells(bias): any(evidence.lights(row) for row in rows),
    }
    return chosen((found for found, shown in cells.items() if shown), analysis.figure.columns)


def _counts(key: str, side: str, label: str, say: Labels) -> Cells:
    """Events and patients of an arm, and their totals over the pooled trials."""
    columns = [f"events_{side}", f"n_{side}"]

    def fraction(counts: Record) -> str:
        return "/".join(f"{counts[column]:.0f}" for column in columns)

    return Cells(
        Column(key, f"{_two_lines(label)}\n{say('events/n')}", "right", "left", -1),
        fraction,
        lambda _, group: fraction(dict(group.loc[group["pooled"] == "yes", columns].sum())),
    )


def _two_lines(label: str) -> str:
    """Break a long label in the middle, so that its column is no wider than its numbers."""
    if len(label) <= 12 or " " not in label:
        return label
    words = label.split()
    ways = (f"{' '.join(words[:cut])}\n{' '.join(words[cut:])}" for cut in range(1, len(words)))
    return min(ways, key=lambda way: abs(len(way) - 1 - 2 * way.index("\n")))
