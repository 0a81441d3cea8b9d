"""Forest plots of comparisons of two arms: by subgroups of trials, and by levels inside them."""

from collections.abc import Iterator

import pandas as pd

from trial_evidence.config.configuration import Analysis, EffectModifier
from trial_evidence.config.looks import Labels
from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.forests.evidence import (
    Cells,
    Evidence,
    Record,
    chosen,
    gap,
    headed,
    lights,
    pooled_rows,
    result_cells,
    trial_rows,
    trial_year,
    weight_cells,
)
from trial_evidence.figures.forests.forest import Column, Forest, Row
from trial_evidence.figures.forests.scales import comparison_axis
from trial_evidence.figures.forests.sentences import (
    difference,
    footnotes,
    group_in_words,
    heterogeneity,
    interaction,
    other_models,
)
from trial_evidence.files import records
from trial_evidence.words.models import MEASURE_NAMES

PARTNER_NAMES = {
    "chemotherapy": "Chemotherapy",
    "endocrine": "Endocrine therapy",
    "none": "None",
}
PARTNER_SHORT = {"chemotherapy": "chemo", "endocrine": "endocrine", "none": "alone"}
ASSESSOR_NAMES = {"BICR": "central", "investigator": "inv."}
# The five domains of RoB 2 and the overall judgement.
LIGHTS = ("1", "2", "3", "4", "5", "All")
JUDGEMENTS_NOTE = (
    "Risk of bias (RoB 2): + low, ? some concerns, − high. 1 randomisation, 2 deviations from "
    "intended interventions, 3 missing outcome data, 4 measurement of the outcome, 5 selection of "
    "the reported result. Blank: not judged."
)


def analysis_forest(evidence: Evidence[Analysis]) -> Forest:
    """Forest plot of an analysis by its subgroups of trials."""
    say, analysis, column = evidence.say, evidence.analysis, evidence.analysis.subgroups
    trials = evidence.trials[evidence.trials["subgroup"] == "all"]
    cells = _cells(evidence, trials)
    shown = "added" if column == "added_agents" else column
    overall = evidence.pooled("all") if analysis.pool == "overall" else None
    subtotals = analysis.pool != "none" and (overall is None or trials[column].nunique() > 1)
    rows: list[Row] = []
    for value, group in trials.groupby(column, sort=False):
        rows += headed(rows, _heading(column, str(group[shown].iloc[0]), say))
        rows += trial_rows(evidence, group, cells)
        if subtotals:
            rows += _subtotal(evidence, f"{column}={value}", group, cells)
    if overall is not None:
        rows += [*gap(rows), *pooled_rows(evidence, "all", "overall", trials, cells)]
    if trials.empty:
        rows.append(Row("text", {"trial": say("No trial qualifies.")}))
    notes = [*heterogeneity(evidence), *difference(evidence, column), *other_models(evidence)]
    found = group_in_words(evidence, trials, evidence.pooled("all"))
    return evidence.forest(
        evidence.title,
        cells,
        rows,
        _axis(evidence),
        overall=None if overall is None else evidence.reading.to_analysis(overall["estimate"]),
        notes=tuple(notes) if analysis.pool == "overall" else (),
        footnotes=tuple(footnotes(evidence, trials, "all", evidence.set_aside)),
        description=" ".join(["Forest plot.", f"{evidence.title}.", *found]),
    )


def modifier_forest(evidence: Evidence[Analysis], modifier: EffectModifier) -> Forest:
    """Forest plot of an analysis by the levels of a factor inside its trials.

    Only trials that report both its levels are among those of the evidence.
    """
    say = evidence.say
    levels = {f"{modifier.factor}={level}": level for level in modifier.levels}
    trials = evidence.trials[evidence.trials["subgroup"].isin(levels)]
    cells = _cells(evidence, trials)
    title = say("{title}, by {factor}", title=evidence.title, factor=say(modifier.label.lower()))
    rows: list[Row] = []
    said = ["Forest plot.", f"{title}."]
    for name, level in levels.items():
        group = trials[trials["subgroup"] == name]
        rows += headed(rows, say(f"{modifier.label} {level}"))
        rows += trial_rows(evidence, group, cells)
        rows += _subtotal(evidence, name, group, cells)
        said += group_in_words(evidence, group, evidence.pooled(name), level)
    aside = evidence.set_aside[evidence.set_aside["subgroup"] == modifier.factor]
    return evidence.forest(
        title,
        cells,
        rows,
        _axis(evidence),
        notes=tuple(interaction(evidence, modifier)),
        footnotes=tuple(footnotes(evidence, trials, next(iter(levels)), aside)),
        description=" ".join(said),
    )


def _subtotal(
    evidence: Evidence[Analysis], name: str, group: pd.DataFrame, cells: tuple[Cells, ...]
) -> Iterator[Row]:
    """A group's results, without the prediction interval, for which only the whole has room."""
    rows = pooled_rows(evidence, name, "subtotal", group, cells)
    return (row for row in rows if row.kind != "prediction")


def _axis(evidence: Evidence[Analysis]) -> Axis:
    """The axis, with the ends chosen for the analysis's first measure."""
    say, analysis = evidence.say, evidence.analysis
    return comparison_axis(
        evidence.measure,
        analysis.arm_labels,
        favours=say("Favours {arm}"),
        limits=analysis.figure.axis if evidence.measure == analysis.measures[0] else None,
        decimal_mark=say.decimal_mark,
    )


def _cells(evidence: Evidence[Analysis], trials: pd.DataFrame) -> tuple[Cells, ...]:
    """Columns from left to right; optional ones appear where their content varies."""
    say, analysis = evidence.say, evidence.analysis
    controls_vary = trials["control_agents"].nunique() > 1
    partners_vary = analysis.subgroups != "experimental_partner" and (
        len({_partners(record, say) for record in records(trials)}) > 1
    )
    several = trials["outcome"].nunique() > 1

    def control(record: Record) -> str:
        none = record["control_agents"] == "none"
        name = say("No HER2 agent") if none else str(record["control"])
        return _joined(
            name if controls_vary else "", _partners(record, say) if partners_vary else ""
        )

    def source(record: Record) -> str:
        return _joined(
            str(record["outcome"]) if several else "",
            say(ASSESSOR_NAMES.get(str(record["assessor"]), "")),
            say(str(record["analysis_cut"])),
        )

    beside = _joined(
        say("control") if controls_vary else "", say("partner") if partners_vary else ""
    )
    arms = zip(
        ("experimental", "control_counts"), ("experimental", "control"), analysis.arm_labels,
        strict=True,
    )  # fmt: skip
    counted = [_counts(key, side, label, say) for key, side, label in arms]
    result = say(MEASURE_NAMES[evidence.measure])
    cells = [
        Cells(Column("trial", say("Trial (year of report)"), "left", "left"), trial_year),
        Cells(Column("control", beside[:1].upper() + beside[1:], "left", "left", 2), control),
        *counted,
        Cells(Column("source", say("Result"), "left", "left", 3), source),
        weight_cells(evidence),
        result_cells(evidence, f"{result}\n({say('{level}% CI', level=evidence.level)})"),
        Cells(
            Column(
                "risk_of_bias", say("Risk of bias"), "center", "right", 4,
                (*LIGHTS[:-1], say(LIGHTS[-1])), say(JUDGEMENTS_NOTE),
            ),
            lambda _: "",
        ),
    ]  # fmt: skip
    are_counts = evidence.measure != "hazard_ratio"
    absent = {
        "control": not beside,
        "experimental": not are_counts,
        "control_counts": not are_counts,
        "source": are_counts,
        "weight": analysis.pool == "none",
        # nobody has judged the risk of bias of any of the trials' own outcomes
        "risk_of_bias": not any(lights(evidence, record) for record in records(trials)),
    }
    there = [found for found in cells if not absent.get(found.column.key)]
    return chosen(there, analysis.figure.columns)


def _counts(key: str, side: str, label: str, say: Labels) -> Cells:
    """Events and patients of an arm, and their sums over the trials pooled."""
    columns = [f"events_{side}", f"n_{side}"]

    def fraction(counts: Record) -> str:
        return "/".join(f"{counts[column]:.0f}" for column in columns)

    return Cells(
        Column(key, f"{_two_lines(label)}\n{say('events/n')}", "right", "left", -1),
        fraction,
        lambda _, group: fraction(dict(group.loc[group["pooled"] == "yes", columns].sum())),
    )


def _heading(column: str, value: str, say: Labels) -> str:
    if column == "experimental_partner":
        return say({
            "none": "Nothing in place of chemotherapy",
            "endocrine": "Endocrine therapy in place of chemotherapy",
        }.get(value, PARTNER_NAMES.get(value, value)))  # fmt: skip
    return say("Added: {agents}", agents=value) if column == "added_agents" else value


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _partners(record: Record, say: Labels) -> str:
    names = [
        say(PARTNER_SHORT.get(record[f"{side}_partner"], ""))
        for side in ("experimental", "control")
    ]
    return names[0] if names[0] == names[1] else " v ".join(names)


def _two_lines(label: str) -> str:
    """Break a long label in the middle, so that its column is no wider than its numbers."""
    if len(label) <= 12 or " " not in label:
        return label
    words = label.split()
    ways = (f"{' '.join(words[:cut])}\n{' '.join(words[cut:])}" for cut in range(1, len(words)))
    return min(ways, key=lambda way: abs(len(way) - 1 - 2 * way.index("\n")))
