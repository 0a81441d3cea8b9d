"""Results in the outcome measures of a registry record: counts, hazard ratios, medians."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from trial_evidence.audit.counts import integers_for_percent
from trial_evidence.config.configuration import Outcome
from trial_evidence.exchange.registry.claims import (
    Claim,
    Finding,
    Trial,
    Unmapped,
    Values,
    key_of_outcome,
    said_of,
)
from trial_evidence.exchange.registry.groups import clipped, named_in, sentences
from trial_evidence.exchange.registry.record import (
    Denom,
    Group,
    Measure,
    Measurement,
    Place,
    StatisticalAnalysis,
    path_of,
)
from trial_evidence.sheet.values import printed_decimals
from trial_evidence.words.problems import counted, quoted, shortened

# "Hazard Ratio, log" is an option in the registry; a log-rank test does not mean a logarithm.
_LOGARITHM = re.compile(r"\b(?:log|ln)\b(?![- ]?rank)", re.IGNORECASE)
# A ratio in the opposite direction to the groups; inverse-probability weights do not invert it.
_INVERSE = re.compile(r"\b(?:inverted|inverse(?![- ](?:prob|var))|reciprocal)\b", re.IGNORECASE)
# Types of values that may be a number of patients; a mean of percentages is none.
_COUNTS = {"", "NUMBER", "COUNT_OF_PARTICIPANTS"}
_PERCENT = re.compile(r"percent|%", re.IGNORECASE)
_PERCENT_ALONE = re.compile(r"(?:percent(?:age)?s?|%)(?: ?\((?:percent(?:age)?|%)\))?")
_PEOPLE = re.compile(
    r"\b(?:participant|patient|subject|wom[ae]n|people|person|individual|responder)"
)
_NO_COUNT = re.compile(r"/|\bper\b|years?\b|\b(?:proportion|fraction|rate)\b")
# What follows is denied: "No response", "non-responders", "Residual disease in ..."; not in
# "No. of responders".
_DENIAL = re.compile(
    r"\b(?:no(?!\.)|non|not|without|fail(?:ed|ure)?|absence|lack|residual|remaining)\b",
    re.IGNORECASE,
)
# Percent; intervals of a lower level are rare.
USUAL_LEVEL = 95.0
_P_VALUE = re.compile(r"(?:p\s*)?([<=≤]?)\s*([0-9]*\.[0-9]+|[01])", re.IGNORECASE)


def measure_findings(trial: Trial, measure: Measure, at: Place) -> Iterator[Finding]:
    """The results in an outcome measure; the reason for each value that cannot be mapped."""

    def unmapped(why: str) -> Unmapped:
        return trial.unmapped(measure.title, measure.unit_of_measure, path_of(at), why)

    named = named_in(measure.title, trial.words.outcomes)
    if why := _why_not_read(trial, measure, named):
        yield unmapped(why)
        return
    outcome = trial.outcomes[named[0]]
    compared = trial.dictionary.tables[outcome.table].kind == "contrasts"
    for n, analysis in enumerate(measure.analyses):
        place = (*at, "analyses", n)
        ratio = compared and named_in(analysis.param_type, {"": trial.words.ratio})
        said = {"logarithm": _LOGARITHM, "inverse": _INVERSE}
        instead = [name for name, sign in said.items() if sign.search(analysis.param_type)]
        if ratio and not instead:
            yield _ratio(trial, outcome, measure, analysis, place)
            continue
        what = ", ".join(filter(None, (measure.title, analysis.param_type or "p value alone")))
        value = analysis.param_value or analysis.p_value
        why = "it is no hazard ratio." if compared else "effects are computed from the counts."
        why = f"it is the {' and '.join(instead)} of a ratio." if ratio else why
        yield trial.unmapped(what, value, path_of(place), why)
    if not compared:
        yield from _counts(trial, outcome, measure, at)
    elif measure.param_type == "MEDIAN":
        yield from _medians(trial, outcome, measure, at)
    elif measure.classes:
        yield unmapped("its values are no medians.")


def _why_not_read(trial: Trial, measure: Measure, named: Sequence[str]) -> str:
    """Why no value of a measure can be mapped; ``""`` if its title clearly names an outcome."""
    if not named:
        return "its title names no outcome of config/registry.yaml."
    if len(named) > 1:
        return f"its title names several outcomes: {', '.join(named)}."
    if named_in(measure.title, {"": trial.words.other_outcomes}):
        return "its title names another outcome than those of config/registry.yaml."
    if named_in(_DENIAL.split(measure.title)[0], trial.words.outcomes) != named:
        return "its title may count the patients without the outcome."
    if part := trial.part_of_patients(measure.title, measure.population_description):
        return part
    return "" if measure.classes or measure.analyses else "no results are posted for it."


def _values(
    measure: Measure, at: Place
) -> Iterator[tuple[Group, str, Place, Measurement, tuple[str, str]]]:
    """Every value: group, titles of class and category, place, measurement, n with its path."""
    groups = {group.id: group for group in measure.groups}
    for c, held in enumerate(measure.classes):
        here: Place = (*at, "classes", c)
        sizes = _analysed(measure.denoms, at) | _analysed(held.denoms, here)
        for k, category in enumerate(held.categories):
            for m, one in enumerate(category.measurements):
                titles = ", ".join(filter(None, (held.title, category.title)))
                place = (*here, "categories", k, "measurements", m)
                yield groups[one.group_id], titles, place, one, sizes.get(one.group_id, ("", ""))


def _analysed(denoms: Iterable[Denom], at: Place) -> dict[str, tuple[str, str]]:
    return {
        count.group_id: (str(count.value), path_of((*at, "denoms", d, "counts", n, "value")))
        for d, denom in enumerate(denoms)
        if _of_participants(denom)
        for n, count in enumerate(denom.counts)
    }


def _no_count(measure: Measure) -> str:
    """The reason if the values of a measure are not, or not clearly, numbers of patients."""
    kind, unit = measure.param_type, measure.unit_of_measure.strip().lower()
    counts, shown = kind == "COUNT_OF_PARTICIPANTS", shortened(measure.unit_of_measure)
    others = [one.units for one in measure.denoms if not _of_participants(one)]
    if kind not in _COUNTS:
        return f"its values are {kind.lower().replace('_', ' ')}s, not numbers of patients."
    if not _PERCENT.search(unit):
        # A count has this type; a plain number below such a title may be either.
        if not counts and _PERCENT.search(measure.title):
            return "its title says percentage, its unit patients."
        # "Patients with events / 100 patient-years" is no count of patients, nor is a proportion.
        people = ("participant" in unit or "patient" in unit) and not _NO_COUNT.search(unit)
        if counts or people:
            return ""
        return f'the unit "{shown}" is neither patients nor a percentage.'
    if counts:
        return "its values are called both a count and a percentage."
    if others:
        return f"the percentages may be of {shortened(', '.join(others))}, not of patients."
    if not _PERCENT_ALONE.fullmatch(unit) and not _PEOPLE.search(unit):
        return f'the unit "{shown}" is no percentage of patients.'
    return ""


def _of_participants(denom: Denom) -> bool:
    return denom.units.lower() in {"", "participants"}


def _of_others(trial: Trial, titles: str, named: Sequence[str]) -> str:
    """The reason if titles of a class and category are not, or not clearly, of the outcome.

    If none of the measure is named after the outcome, they must say how it was assessed, and deny
    nothing.
    """
    if not titles or titles in named:
        return ""
    if named:
        return f"these are other patients than those of {quoted(named[0])}."
    words = {"": [*chain(*map(_plain_phrases, trial.words.columns.values()))]}
    if not _DENIAL.search(titles) and named_in(titles, words):
        return ""
    return f"{quoted(titles)} does not say that these patients had the outcome."


def _named_after(trial: Trial, outcome: Outcome, measure: Measure) -> list[str]:
    """Titles of classes and categories that name the outcome or a definition of it."""
    definitions = _plain_phrases(trial.words.columns.get("definition", {}))
    names = {"": [*trial.words.outcomes[outcome.name], *definitions]}
    titles = dict.fromkeys(titles for _, titles, *_ in _values(measure, ()))
    return [title for title in titles if named_in(_DENIAL.split(title)[0], names)]


def _plain_phrases(phrases: Mapping[str, Iterable[str]]) -> list[str]:
    """The phrases of one word only; one of several words, such as "nodes", names none of them."""
    times = Counter(chain(*phrases.values()))
    return [phrase for phrase, n in times.items() if n == 1]


def _counts(trial: Trial, outcome: Outcome, measure: Measure, at: Place) -> Iterator[Finding]:
    named, no_count = _named_after(trial, outcome, measure), _no_count(measure)
    for group, titles, place, one, (n, path_of_n) in _values(measure, at):
        title = ", ".join(filter(None, (measure.title, titles, group.title)))
        path = path_of((*place, "value"))
        arm = trial.arms.arm_of(group)
        why = arm.why or trial.part_of_patients(titles, group.title)
        why = why or _of_others(trial, titles, named) or _no_patients(one, n) or no_count
        values: Values = {"n": (n, path_of_n), "events": (one.value, path)}
        note = ""
        if not why and _PERCENT.search(measure.unit_of_measure):
            fit = integers_for_percent(float(one.value), int(n), printed_decimals(one.value))
            values["events"] = ", ".join(map(str, fit)), path
            values["reported_percent"] = one.value, path
            note = f"events computed: {one.value}% of {n}"
            if len(fit) != 1:
                why = f"no single whole number of {n} patients is {one.value}%."
        elif not why and (not one.value.isdigit() or int(one.value) > int(n)):
            why = f"it is not a number of the {n} patients analysed."
        if why:
            yield trial.unmapped(title, one.value or "NA", path, why)
            continue
        key = key_of_outcome(trial, outcome, arm_id=arm.arm)
        said = said_of(trial, outcome.table, measure, titles)
        if analysed := "" if "population" in said else measure.population_description:
            # The description has no words of config/registry.yaml, so the reader has to judge it.
            note = sentences(note, f"Analysed: {analysed.rstrip('. ')}")
        yield Claim(trial.id, outcome.table, key, said, values, path_of(place), title, note)


def _no_patients(one: Measurement, n: str) -> str:
    """The reason if a value or the number of patients that it is of is not given."""
    if not one.value:
        return "the value is not available (NA)."
    if not n:
        return "the number of patients analysed (denoms) is not given."
    return "" if int(n) else "no patients were analysed (denoms is 0)."


def _ratio(
    trial: Trial, outcome: Outcome, measure: Measure, analysis: StatisticalAnalysis, at: Place
) -> Finding:
    what = f"{measure.title}, {analysis.param_type}"

    def unmapped(why: str) -> Unmapped:
        return trial.unmapped(what, analysis.param_value, path_of(at), why)

    groups = {group.id: group for group in measure.groups}
    named = analysis.group_ids
    if len(named) == 1 and len(groups) == 2:
        # Many records name only one group of a ratio; the comparator is then the other group.
        named = (*named, *(group for group in groups if group not in named))
    if len(named) != 2:
        return unmapped(f"it compares {counted(len(named), 'group')}, not two.")
    if not analysis.param_value:
        return unmapped("the value is not available (NA).")
    titles = [groups[name].title for name in named]
    about = analysis.group_description, analysis.estimate_comment, *titles
    if part := trial.part_of_patients(*about):
        return unmapped(part)
    places = [trial.arms.arm_of(groups[name]) for name in named]
    if unclear := [
        f"{shortened(groups[name].title)}: {place.why}"
        for name, place in zip(named, places, strict=True)
        if not place.arm
    ]:
        return unmapped(" ".join(unclear))
    one, other = (place.arm for place in places)
    if not (experimental := _experimental(trial, one, other)):
        why = "neither the sheet nor the record says which arm is the experimental one"
        return unmapped(f"{why}: {one}, {other}.")
    control = other if experimental == one else one
    key = key_of_outcome(trial, outcome, experimental_arm_id=experimental, control_arm_id=control)
    method = sentences(
        analysis.statistical_method, analysis.statistical_comment, analysis.estimate_comment
    )
    comments = (analysis.group_description, method, analysis.p_value_comment)
    p_value = _p_value(analysis.p_value)
    said = said_of(trial, outcome.table, measure, *comments)
    said |= {"p_sided": _p_sided(trial, analysis) if p_value else ""}
    said = {column: word for column, word in said.items() if word}
    columns = {
        "hr": ("paramValue", analysis.param_value),
        "ci_low": ("ciLowerLimit", analysis.ci_lower_limit),
        "ci_high": ("ciUpperLimit", analysis.ci_upper_limit),
        "ci_level": ("ciPctValue", _level(analysis)),
        "p_value": ("pValue", p_value),
    }
    values = _filled(columns, at)
    sizes = _analysed(measure.denoms, at[:-2])
    medians = {
        group.id: (one.value, path_of((*place, "value")))
        for group, titles, place, one, _ in _values(measure, at[:-2])
        if one.value and not titles and _in_months(measure)
    }
    for name, place in zip(named, places, strict=True):
        side = "experimental" if place.arm == experimental else "control"
        values |= {f"n_{side}": sizes[name]} if name in sizes else {}
        values |= {f"median_{side}_months": medians[name]} if name in medians else {}
    order = " against ".join(clipped(groups[name].title) for name in analysis.group_ids)
    turned = places[0].arm == control and len(analysis.group_ids) == 2
    alone = "" if len(analysis.group_ids) == 2 else ", the only one that the record names"
    unread = analysis.p_value and not p_value
    note = sentences(
        f"Groups: {order}{alone}",
        "The record names the control arm first: check the direction" if turned else "",
        f"Method: {method.rstrip('.')}" if method else "",
        f"The record's p value is {quoted(analysis.p_value)}" if unread else "",
        _about_sides(analysis),
    )
    return Claim(trial.id, outcome.table, key, said, values, path_of(at), what, note)


def _filled(columns: Mapping[str, tuple[str, str]], at: Place) -> Values:
    """The columns with a value, with paths: column -> (name in the record, value)."""
    return {
        column: (value, path_of((*at, name))) for column, (name, value) in columns.items() if value
    }


def _experimental(trial: Trial, one: str, other: str) -> str:
    """The experimental arm of a pair, from the sheet, else as registered in the record."""
    known = {pair[0] for pair in trial.pairs if set(pair) == {one, other}}
    return known.pop() if len(known) == 1 else trial.arms.experimental(one, other)


def _level(analysis: StatisticalAnalysis) -> str:
    """The level of the two-sided interval; a one-sided 95% limit belongs to a 90% interval.

    Empty where it is unclear: two limits of which each is said to be a one-sided 95% limit may as
    well be those of a 95% interval beside a one-sided test.
    """
    if not analysis.ci_pct_value or analysis.ci_num_sides != "ONE_SIDED":
        return analysis.ci_pct_value
    level = 2 * float(analysis.ci_pct_value) - 100
    two_limits = analysis.ci_lower_limit and analysis.ci_upper_limit
    return "" if two_limits and level < USUAL_LEVEL else f"{level:g}"


def _about_sides(analysis: StatisticalAnalysis) -> str:
    if analysis.ci_num_sides != "ONE_SIDED":
        return ""
    said = "The record's interval is one-sided"
    if analysis.ci_pct_value and not _level(analysis):
        said += f", but has two limits, so its level ({analysis.ci_pct_value}%) is not taken"
    return said


def _p_value(text: str) -> str:
    """A p value in the format of the sheet; empty if the text is not a p value."""
    match = _P_VALUE.fullmatch(text.strip())
    if match is None:
        return ""
    number = f"0{match[2]}" if match[2].startswith(".") else match[2]
    return f"<{number}" if match[1] in {"<", "≤"} else number


def _p_sided(trial: Trial, analysis: StatisticalAnalysis) -> str:
    """Whether the p value is one-sided or two-sided, from comments on it and on the test.

    Comments on the estimate or the measure are not used: they may concern the interval.
    """
    words = trial.words.columns.get("p_sided", {})
    texts = analysis.p_value_comment, analysis.statistical_method, analysis.statistical_comment
    named = next(filter(None, (named_in(text, words) for text in texts)), [])
    return named[0] if len(named) == 1 else ""


def _in_months(measure: Measure) -> bool:
    return measure.param_type == "MEDIAN" and "month" in measure.unit_of_measure.lower()


def _medians(trial: Trial, outcome: Outcome, measure: Measure, at: Place) -> Iterator[Finding]:
    """Median times to an event, in months."""
    tables = trial.dictionary.of_kind("times")
    level = re.search(r"([0-9]+(?:\.[0-9]+)?) ?%", measure.dispersion_type)
    for group, titles, place, one, _ in _values(measure, at):
        title = ", ".join(filter(None, (measure.title, titles, group.title)))
        arm = trial.arms.arm_of(group)
        why = arm.why or trial.part_of_patients(titles, group.title)
        if not why and not one.value:
            why = "the value is not available (NA)."
        if not why and not _in_months(measure):
            why = f'the unit "{shortened(measure.unit_of_measure)}" is not months.'
        if why or not tables:
            value, path = one.value or "NA", path_of((*place, "value"))
            yield trial.unmapped(title, value, path, why or "the sheet has no table of medians.")
            continue
        found = {"median_months": ("value", one.value), "ci_low": ("lowerLimit", one.lower_limit),
                 "ci_high": ("upperLimit", one.upper_limit)}  # fmt: skip
        # Limits without a level are a range or quartiles.
        values = _filled(found if level else {"median_months": found["median_months"]}, place)
        if level and len(values) > 1:
            values["ci_level"] = level[1], path_of((*at, "dispersionType"))
        table = trial.dictionary.tables[tables[0]]
        key = {"arm_id": arm.arm, table.outcome_column: outcome.name}
        yield Claim(trial.id, table.name, key, {}, values, path_of(place), title)
