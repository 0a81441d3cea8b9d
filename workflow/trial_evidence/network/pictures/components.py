"""Figures of the additive model: the effect of each component, and whether the sums hold."""

import re

import pandas as pd

from trial_evidence.figures.canvas.axis import Axis
from trial_evidence.figures.canvas.page import Page
from trial_evidence.figures.charts.observed_predicted import NUMBERS, observed_predicted
from trial_evidence.figures.forests.evidence import POOLED
from trial_evidence.figures.forests.forest import Column, headed
from trial_evidence.figures.house.publish import Chart, charted
from trial_evidence.figures.house.theme import Words
from trial_evidence.network.components.additive import TIMES
from trial_evidence.network.models import WALD
from trial_evidence.network.pictures.words import ShownNetwork
from trial_evidence.words.numbers import format_number, format_p, format_percent
from trial_evidence.words.printed import capital

# A single trial cannot separate the effect of a component from other differences of its arms.
LEAST_TRIALS = 2
SINGLE = (
    "In the table only, because they rest on one trial, which cannot isolate the effect of adding:"
)
NONE_ALONE = (
    "No trial has all four arms (both, either, neither): none shows an interaction by itself."
)


def components(net: ShownNetwork) -> Page | None:
    """Effects of adding a component, and interactions; None if the trials determine none."""
    order = list(net.analysis.evidence.abbreviations)
    effects = [row for row in net.rows("components", model=WALD) if row["component"]]
    effects.sort(key=lambda row: [*order, row["component"]].index(row["component"]))
    if not effects:
        return None
    interactions = net.rows("interactions")
    interact = any(not row["reason"] for row in interactions)
    # a heading alone would repeat the footnote
    rows = headed([], "Additive model", "label") if interact else []
    described: list[str] = []
    absent: dict[str, list[str]] = {}
    confounded, identified, single = [], [], []
    for row in effects:
        name = capital(net.component(row["component"]))
        if row["reason"]:
            absent.setdefault(net.named(row["reason"]), []).append(name)
        elif row["trials"] < LEAST_TRIALS:
            single.append(name)
        else:
            rows.append(net.row(name, POOLED(row)))
            described.append(f"{name} {rows[-1].texts['result']}")
    rows += headed(rows, "Interactions", "label") if interact else []
    for row in interactions:
        name = capital(net.component(TIMES.join((row["first"], row["second"]))))
        if row["reason"]:
            absent.setdefault(net.named(row["reason"]), []).append(name)
            continue
        probability = row["probability_of_synergy"]
        synergy = "–" if pd.isna(probability) else format_percent(probability)
        rows.append(net.row(name, POOLED(row), synergy=synergy))
        result = rows[-1].texts["result"]
        described.append(f"{name} {result}, probability of synergy {synergy}")
        rests_on = re.sub(r"\(if [^)]*\)", lambda of: net.named(of[0]), row["identified_by"])
        identified.append(f"{name} rests on {rests_on}.")
        if row["confounded_with"]:
            others = " or ".join(map(net.component, row["confounded_with"].split("; ")))
            confounded.append(
                f"{name} cannot be distinguished from {others} in these trials; no probability is "
                "given."
            )
    if not described:
        return None
    alone = sum(row["trials_alone"] for row in interactions if not row["reason"])
    test = _test(net)
    columns = [Column("label", "Component", "left", "left")]
    if interact:
        columns.append(Column("synergy", "Probability\nof synergy", "right", "right", 1))
    return net.forest(
        "components",
        rows,
        columns,
        ("adding it", "leaving it out"),
        f"{net.measure.title.lower()} of adding each: {'; '.join(described)}. {test}",
        notes=(
            test,
            f"τ² = {format_number(effects[0]['tau2'], 3)} (REML); Wald intervals.",
            *(f"{', '.join(names)}: {reason}" for reason, names in absent.items()),
            *([f"{SINGLE} {'; '.join(single)}."] if single else []),
            *([NONE_ALONE] if interact and not alone else []),
            *identified,
            *confounded,
        ),
        footnotes=(
            "Additive model: the effect of a regimen is the sum of those of its components, on "
            "the logarithmic scale; each row is a component added to any regimen. “In sequence”, "
            "and the label of a regimen with its own node, is the effect that this regimen has "
            "beyond its other components: all of it, where it has none. Interactions, one at a "
            "time: the joint effect of two components beyond the sum. Probability of synergy: "
            "Bayesian, half-normal prior on τ, flat on all effects.",
        ),
    )


def _test(net: ShownNetwork) -> str:
    """The test of additivity in a sentence."""
    kinds = {row["kind"]: row for row in net.rows("additivity")}
    if "test" in kinds:
        return str(kinds["test"]["reason"])
    common = kinds["difference: test of additivity"]
    random = kinds["difference, random effects"]
    if pd.isna(common["p_value"]) or pd.isna(random["p_value"]):
        return (
            "Additivity cannot be tested: there are as many components as independent comparisons."
        )
    return (
        f"Test of additivity: Q = {format_number(common['statistic'], 1)} on {common['df']:g} df, "
        f"{format_p(common['p_value'])} (common effect); {format_number(random['statistic'], 1)}, "
        f"{format_p(random['p_value'])} (random effects)."
    )


def additivity(net: ShownNetwork) -> Chart | None:
    """Effects as observed and as sums of components; None if no sum can differ."""
    rows = net.rows("additivity", kind="regimen")
    fixed = [row["code"] for row in rows if row["reason"]]
    points = [row for row in rows if not row["reason"]]
    if not points:
        return None
    to_analysis = net.measure.scale.to_analysis
    farthest = max(
        points, key=lambda row: abs(to_analysis(row["observed"]) - to_analysis(row["predicted"]))
    )
    measure, test = net.measure.title, _test(net)
    references = " or ".join(row["reference"] for row in net.rows("summary"))
    title = f"{net.title}, additivity"
    frame = pd.DataFrame(points).rename(columns={"code": "label"})
    frame[NUMBERS] = to_analysis(frame[NUMBERS])
    axis = Axis("log" if net.measure.is_ratio else "linear", 0.0, f"Observed {measure.lower()}")
    small = [
        f"Each regimen against {references}; both fits at the τ² of the network model. Above the "
        f"dashed line a regimen has a higher {measure.lower()} than the sum of its components."
    ]
    if fixed:
        small.append(
            "Not shown, because the sum always equals the observed effect (own component) or "
            f"cannot be estimated: {', '.join(fixed)}."
        )
    return charted(
        observed_predicted,
        frame,
        axis,
        f"{measure} as the sum of the components",
        net.analysis.level,
        words=Words(title, (test,), (*small, net.codes())),
        description=f"Scatter plot. {title}: observed {measure.lower()} against the sum of the "
        f"components, {len(points)} regimens. Farthest from the sum: {farthest['code']} (observed "
        f"{net.value(farthest['observed'])}, predicted {net.value(farthest['predicted'])}). "
        f"{test}",
        style=net.style,
    )
