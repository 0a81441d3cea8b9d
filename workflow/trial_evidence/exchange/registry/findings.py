"""Everything in a registry record that concerns cells of the sheet, with its path in the record.

Arms are identified by the agents that a group names, outcomes by the words of config/registry.yaml.
Nothing is guessed: a value that does not clearly belong to one arm and one outcome is listed with
the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from trial_evidence.exchange.registry.claims import (
    Claim,
    Fact,
    Finding,
    Trial,
    Unmapped,
    key_of_outcome,
    told_apart,
)
from trial_evidence.exchange.registry.outcome_measures import measure_findings
from trial_evidence.exchange.registry.record import Event, EventGroup, EventStats, Place, path_of
from trial_evidence.words.problems import counted, shortened

_PHASE = re.compile(r"(?:EARLY_)?PHASE([1-4])")
_BLINDED = {"NONE": "no", "DOUBLE": "yes", "TRIPLE": "yes", "QUADRUPLE": "yes"}
_ALLOCATED = {"RANDOMIZED": "yes", "NON_RANDOMIZED": "no", "NA": "no"}
_SERIOUS = "patients with at least one serious adverse event, as registered"


def findings(trial: Trial) -> Iterator[Finding]:
    """All findings of a record: values for cells of the sheet, and the rest."""
    yield from _design(trial)
    yield from _flow(trial)
    measures = trial.record.results_section.outcome_measures_module.outcome_measures
    at: Place = ("resultsSection", "outcomeMeasuresModule", "outcomeMeasures")
    for n, measure in enumerate(measures):
        yield from told_apart(trial, measure_findings(trial, measure, (*at, n)))
    yield from _events(trial)


def _design(trial: Trial) -> Iterator[Finding]:
    """Cells of trials.csv: number of patients, start of enrolment, design."""
    protocol = trial.record.protocol_section
    design, start = protocol.design_module, protocol.status_module.start_date_struct

    def fact(column: str, value: str, path: str, note: str = "") -> Fact:
        return Fact(trial.id, "trials", {}, column, value, f"protocolSection.{path}", note)

    def rest(what: str, value: str, path: str, why: str) -> Unmapped:
        return trial.unmapped(what, value, f"protocolSection.{path}", why)

    enrolled = design.enrollment_info
    if enrolled.count is not None and enrolled.type == "ACTUAL":
        note = "all who were enrolled"
        yield fact("n_randomised", str(enrolled.count), "designModule.enrollmentInfo.count", note)
    elif enrolled.count is not None:
        why = "the number is planned, not counted."
        yield rest("patients", str(enrolled.count), "designModule.enrollmentInfo", why)
    if start is not None and start.type != "ESTIMATED":
        path = "statusModule.startDateStruct.date"
        yield fact("enrolment_start_year", start.date[:4], path, f"start: {start.date}")
    if design.phases:
        found = [match[1] for phase in design.phases if (match := _PHASE.fullmatch(phase))]
        if len(found) == 1:
            yield fact("phase", found[0], "designModule.phases[0]")
        else:
            why = "the sheet has one phase a trial."
            why = why if found else "it is no phase that the sheet knows."
            yield rest("phase", ", ".join(design.phases), "designModule.phases", why)
    if allocated := _ALLOCATED.get(design.design_info.allocation):
        yield fact("randomised", allocated, "designModule.designInfo.allocation")
    masking = design.design_info.masking_info.masking
    path = "designModule.designInfo.maskingInfo.masking"
    if masking in _BLINDED:
        yield fact("blinded", _BLINDED[masking], path, f"masking: {masking.lower()}")
    elif masking:
        why = "it does not say whether patients and physicians were blinded."
        yield rest("masking", masking, path, why)


def _flow(trial: Trial) -> Iterator[Finding]:
    """Patients randomised to each arm, taken as those who started the first period."""
    flow = trial.record.results_section.participant_flow_module
    groups = {group.id: group for group in flow.groups}
    facts = []
    at: Place = ("resultsSection", "participantFlowModule", "periods", 0, "milestones")
    for n, milestone in enumerate(flow.periods[0].milestones if flow.periods else ()):
        for a, one in enumerate(milestone.achievements if milestone.type == "STARTED" else ()):
            group = groups[one.group_id]
            path = path_of((*at, n, "achievements", a, "numSubjects"))
            place, value = trial.arms.arm_of(group), one.num_subjects
            if value is None:
                continue
            if why := place.why or trial.part_of_patients(group.title):
                what = f"patients who started: {group.title}"
                yield trial.unmapped(what, str(value), path, why)
                continue
            key, note = {"arm_id": place.arm}, f"started: {shortened(group.title)}"
            facts.append(Fact(trial.id, "arms", key, "n_randomised", str(value), path, note))
    times = Counter(fact.key["arm_id"] for fact in facts)
    for fact in facts:
        if times[fact.key["arm_id"]] == 1:
            yield fact
        else:
            why = f"{times[fact.key['arm_id']]} groups fit the arm {fact.key['arm_id']}."
            yield trial.unmapped(fact.note, fact.value, fact.path, why)


def _events(trial: Trial) -> Iterator[Finding]:
    """Adverse events: patients with any serious event, and terms that are outcomes of the sheet."""
    events = trial.record.results_section.adverse_events_module
    at: Place = ("resultsSection", "adverseEventsModule")
    arms = {group.id: trial.arms.arm_of(group) for group in events.event_groups}
    titles = {group.id: group.title for group in events.event_groups}

    def found(
        name: str, group: str, definition: str, path: Place, part: EventGroup | EventStats
    ) -> Finding:
        which = "serious_num" if isinstance(part, EventGroup) else "num"
        steps = {"events": f"{which}_affected", "n": f"{which}_at_risk"}
        affected, at_risk = (getattr(part, step) for step in steps.values())
        title = f"{definition}, {titles[group]}"
        why = arms[group].why or trial.part_of_patients(titles[group])
        if affected is None or not at_risk:
            why = why or "affected patients and patients at risk are not both given."
        if why:
            given = "NA" if affected is None else str(affected)
            return trial.unmapped(title, given, path_of(path), why)
        outcome = trial.outcomes[name]
        key = key_of_outcome(trial, outcome, arm_id=arms[group].arm)
        said = {"population": "safety", "definition": definition}
        values = {
            column: (str(getattr(part, step)), path_of((*path, to_camel(step))))
            for column, step in steps.items()
        }
        return Claim(trial.id, outcome.table, key, said, values, path_of(path), title)

    serious = trial.words.serious_events
    totals = (
        found(serious, group.id, _SERIOUS, (*at, "eventGroups", n), group)
        for n, group in enumerate(events.event_groups)
    )
    yield from told_apart(trial, totals)
    least = events.frequency_threshold
    above = f", above {least}%" if least not in {"", "0"} else ""
    which_of = {
        "serious_events": "serious adverse events only, as registered",
        "other_events": f"without serious adverse events, as registered{above}",
    }
    for step, which in which_of.items():
        part, listed = to_camel(step), getattr(events, step)
        mapped = [
            (n, event, name) for n, event in enumerate(listed) for name in _terms(trial, event)
        ]
        for n, event, name in mapped:
            definition, place = f"{event.term}: {which}", (*at, part, n, "stats")
            stats = (
                found(name, held.group_id, definition, (*place, s), held)
                for s, held in enumerate(event.stats)
            )
            yield from told_apart(trial, stats)
        if rest := len(listed) - len({n for n, _, _ in mapped}):
            why = "no outcome of config/registry.yaml (event_terms) has them."
            yield trial.unmapped(counted(rest, "other term"), "", path_of((*at, part)), why)


def _terms(trial: Trial, event: Event) -> list[str]:
    """The outcomes that list exactly this term."""
    term = " ".join(event.term.lower().split())
    return [
        name for name, terms in trial.words.event_terms.items() if term in map(str.lower, terms)
    ]
