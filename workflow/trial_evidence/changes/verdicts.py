"""Verdicts, certainty and control risks before and after an edit, for answers it can change."""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trial_evidence.changes.compare import EstimateChange
from trial_evidence.changes.networks import NetworkChanges, Side
from trial_evidence.changes.revision import SheetDifference
from trial_evidence.changes.risks import (
    Risks,
    Titles,
    curves_changed,
    curves_in_words,
    curves_of,
    in_rows,
    risks_in_words,
    starting_risks,
    trials_with_other_risks,
)
from trial_evidence.extract.evidence import SettingEvidence
from trial_evidence.report.material.afresh import TablesOfNetworks, material_on
from trial_evidence.report.tables.certainty import Certainty, certainties, certainty_words
from trial_evidence.report.tables.claims import Verdict, verdicts
from trial_evidence.report.tables.network_certainty import network_certainties
from trial_evidence.sheet.values import ALL, PRIMARY
from trial_evidence.words.printed import words

NO_JUDGEMENT = "No verdict and no certainty changed."
# Setting and analysis.
Place = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """Judgements on some answers: certainty, and verdicts by text of claim.

    Certainty is by (setting, analysis); of network estimates by (setting, network, comparison).
    """

    certainty: Mapping[tuple[str, ...], Certainty]
    verdicts: Mapping[str, Verdict]
    risks: Risks = field(default_factory=dict)


def changed_judgements(
    sides: tuple[Side, Side],
    difference: SheetDifference,
    changes: Iterable[EstimateChange],
    networks: NetworkChanges,
    titles: Titles,
) -> Iterator[str]:
    """Changed verdicts, certainty and control risks, for answers that can have changed."""
    affected = {(change.setting, change.analysis) for change in changes}
    answers = answers_in_question(affected, sides, difference)
    if answers or any(networks.tables) or "biomarker_effects" in difference.tables:
        before, after = (
            judged(side, answers, tables)
            for side, tables in zip(sides, networks.tables, strict=True)
        )
        yield from [*judgements_in_words(before, after, titles)] or [NO_JUDGEMENT]
        yield from risks_in_words(before.risks, after.risks, titles)
    for setting, analysis, model, was, is_now in networks.surrogacy:
        title = titles.get((setting, analysis), analysis)
        yield f"Surrogacy: {title}, {model}: was {was}; is now {is_now}."
    earlier, current = sides
    yield from first_hand_in_words(earlier.evidence, current.evidence, titles)
    if curves_changed(difference):
        yield from curves_in_words(curves_of(earlier), curves_of(current), titles)


def answers_in_question(
    affected: Collection[Place], sides: tuple[Side, Side], difference: SheetDifference
) -> set[Place]:
    """Answers whose trials, or judgements on them, may have changed.

    Parameters
    ----------
    affected : collection of (str, str)
        Analyses whose evidence differs.
    """
    answers = {(a.setting, a.id) for side in sides for a in side.configuration.answers}
    if _rules(sides[0]) != _rules(sides[1]):
        return answers
    judged = in_rows(difference, "risk_of_bias", "trial_id")
    for side in sides:
        judged |= trials_with_other_risks(difference, side.sheet)
    graded = in_rows(difference, "certainty", "analysis")
    resting = {
        (str(setting), str(analysis))
        for side in sides
        for found in side.evidence.values()
        for setting, analysis, trial in found.used[["setting", "analysis", "trial_id"]].to_numpy()
        if trial in judged
    }
    return {place for place in answers if place in {*affected, *resting} or place[1] in graded}


def networks_in_question(
    sides: tuple[Side, Side], difference: SheetDifference
) -> tuple[set[str], set[str]]:
    """Networks, and trials of networks, on which the judgements may have changed."""
    every = {network.id for side in sides for network in side.networks.networks}
    graded_by = [(s.report and s.report.certainty, s.configuration.sensitivity) for s in sides]
    if graded_by[0] != graded_by[1]:
        return every, set()
    judged = in_rows(difference, "risk_of_bias", "trial_id")
    return every & in_rows(difference, "certainty", "analysis"), judged


def _rules(side: Side) -> tuple[Any, ...]:
    """Configuration that decides how answers are judged: claims, certainty, direction, choices."""
    asked = side.configuration
    return side.report, asked.sensitivity, asked.selection, asked.outcomes


def judged(side: Side, answers: Collection[Place], tables: TablesOfNetworks) -> Judged:
    """Certainty of some answers, and verdicts on the claims about them.

    Claims about other answers get a meaningless verdict, which is the same before and after.
    """
    if side.report is None:
        return Judged({}, {})
    with tempfile.TemporaryDirectory() as folder:
        asked = side.sheet, side.configuration, side.report, side.networks
        material = material_on(answers, side.contexts, *asked, tables, Path(folder))
        found = certainties(material)
        claims = zip(side.report.claims, verdicts(material, certainty_words(found)), strict=True)
        certainty: dict[tuple[str, ...], Certainty] = {(c.setting, c.analysis): c for c in found}
        return Judged(
            certainty | network_certainties(material),
            {claim.text: verdict for claim, verdict in claims},
            starting_risks(material, answers),
        )


def judgements_in_words(before: Judged, after: Judged, titles: Titles) -> Iterator[str]:
    """Changed verdicts, then changed certainties, in one or two sentences each."""
    for text, now in after.verdicts.items():
        was = before.verdicts.get(text)
        if was is not None and was.verdict != now.verdict:
            claim = text.rstrip(".")
            yield f"Verdict on “{claim}”: was {was.verdict}, is now {now.verdict}. {now.reason}"
    for place in dict.fromkeys([*before.certainty, *after.certainty]):
        one, other = before.certainty.get(place), after.certainty.get(place)
        if one is not None and other is not None and one.words != other.words:
            setting, name, *comparison = place
            named = ", ".join((titles.get((setting, name), name), *comparison))
            yield (
                f"Certainty: {named}: was {one.words.lower()}, is now "
                f"{other.words.lower()}. {_domains_that_changed(one, other)}"
            )


def first_hand_in_words(
    before: Mapping[str, SettingEvidence], after: Mapping[str, SettingEvidence], titles: Titles
) -> Iterator[str]:
    """Pools of as many trials as before, of which more or fewer were read first-hand."""
    was = _first_hand(before)
    for place, (now, trials) in _first_hand(after).items():
        earlier, of = was.get(place, (now, trials))
        if of == trials and earlier != now:
            title = titles.get(place, place[1])
            yield f"Read first-hand: {title}: were {earlier} of {trials} trials, are now {now}."


def _first_hand(evidence: Mapping[str, SettingEvidence]) -> dict[Place, tuple[int, int]]:
    """Answer -> trials pooled in all patients that were read first-hand, and all of them."""
    found = {}
    for side in evidence.values():
        pooled = side.used[(side.used["subgroup"] == ALL) & (side.used["pooled"] == "yes")]
        once = pooled.drop_duplicates(["setting", "analysis", "trial_id"])
        for (setting, analysis), rows in once.groupby(["setting", "analysis"], sort=False):
            read = int((rows["verification"] == PRIMARY).sum())
            found[str(setting), str(analysis)] = read, len(rows)
    return found


def _domains_that_changed(before: Certainty, after: Certainty) -> str:
    return " ".join(
        f"{words(now.name).capitalize()}, {words(now.judgement)}: {now.reason}"
        for was, now in zip(before.domains, after.domains, strict=True)
        if (was.judgement, bool(was.judged_by)) != (now.judgement, bool(now.judged_by))
    )
