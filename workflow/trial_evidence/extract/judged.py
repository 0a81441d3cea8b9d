"""Risk-of-bias judgements of what is pooled, and what is pooled without one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.contrasts import matches, trial_contrasts
from trial_evidence.extract.evidence import extract_setting
from trial_evidence.extract.regimens import arm_regimens
from trial_evidence.files import records
from trial_evidence.sheet import Sheet
from trial_evidence.words.problems import Problem

NOT_JUDGED = "not judged"


def judged_risk(sheet: Sheet, endpoints: Sequence[str], trial_id: str, outcome: str) -> str:
    """Overall risk of bias of a trial's outcome; of another outcome of its family, else.

    The endpoints of an analysis are the family. Returns ``low``, ``some_concerns``, ``high`` or
    ``not judged``.
    """
    table = sheet["risk_of_bias"]
    mine = table[table["trial_id"] == trial_id]
    judged = dict(zip(mine["outcome"], mine["overall"], strict=True))
    names = (outcome, *endpoints)
    return next((str(judged[name]) for name in names if name in judged), NOT_JUDGED)


def unjudged_problems(
    sheet: Sheet, configuration: Configuration, among: Collection[str] | None = None
) -> Iterator[Problem]:
    """A warning for each trial that a pooled answer rests on without a judgement of its outcome.

    Parameters
    ----------
    among : collection of str, optional
        The trials to look at; all by default.
    """
    lacking: dict[str, dict[str, list[str]]] = {}
    for setting in configuration.settings:
        analyses = {a.id: a for a in configuration.answers if a.setting == setting}
        found = _in_doubt(sheet, setting, analyses.values())
        found = found if among is None else found.intersection(among)
        for row in records(_pooled(sheet, configuration, setting, found)) if found else ():
            analysis, trial, outcome = (row[key] for key in ("analysis", "trial_id", "outcome"))
            if judged_risk(sheet, analyses[analysis].endpoints, trial, outcome) == NOT_JUDGED:
                lacking.setdefault(trial, {}).setdefault(outcome, []).append(analysis)
    rows = dict(zip(sheet["trials"]["trial_id"], sheet["trials"]["row"], strict=True))
    for trial, outcomes in lacking.items():
        pools = ", ".join(dict.fromkeys(pool for pools in outcomes.values() for pool in pools))
        message = (
            f"nobody has judged the risk of bias of {' and '.join(outcomes)}, which counts against "
            f"the certainty of {pools}. Add a row for it to risk_of_bias.csv."
        )
        yield Problem("warning", "trials.csv", int(rows[trial]), trial, "", "", message)


def _in_doubt(sheet: Sheet, setting: str, analyses: Iterable[Analysis]) -> set[str]:
    """Trials with the arms of an analysis and without a judgement of its outcomes."""
    trials, arms, judgements = sheet["trials"], sheet["arms"], sheet["risk_of_bias"]
    trials = trials[trials["setting"] == setting]
    arms = arms[arms["trial_id"].isin(trials["trial_id"])].reset_index(drop=True)
    contrasts = trial_contrasts(arm_regimens(arms), trials, sheet["agents"])
    found: set[str] = set()
    for analysis in analyses:
        own = judgements["outcome"].isin([*analysis.endpoints, *analysis.labels])
        found |= {*matches(contrasts, analysis)["trial_id"]} - {*judgements["trial_id"][own]}
    return found


def _pooled(
    sheet: Sheet, configuration: Configuration, setting: str, trials: Collection[str]
) -> pd.DataFrame:
    """What the answers of a setting pool of some trials, by the first measure of each.

    Nothing else is extracted: a check is to take seconds.
    """
    tables = {
        name: table[table["trial_id"].isin(trials)] if "trial_id" in table else table
        for name, table in sheet.tables.items()
    }
    answers = (a for a in configuration.answers if a.setting == setting)
    whole = tuple(replace(a, measures=a.measures[:1], effect_modifiers=()) for a in answers)
    only = replace(configuration, analyses=whole, rates=())
    used = extract_setting(Sheet(MappingProxyType(tables), sheet.kinds), only, setting).used
    return used[used["pooled"] == "yes"]
