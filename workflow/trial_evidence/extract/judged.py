"""Risk-of-bias judgements for pooled results, and warnings where one is missing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.extract.comparisons import SIDES, trial_evidence
from trial_evidence.extract.context import Context, setting_context
from trial_evidence.extract.contrasts import contrasts_of_setting, matches
from trial_evidence.extract.narrowed import of_trials
from trial_evidence.files import Record
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL
from trial_evidence.words.problems import Problem

NOT_JUDGED = "not judged"
T = TypeVar("T")


def judged(
    judgements: Mapping[tuple[str, str], T], endpoints: Sequence[str], trial_id: str, outcome: str
) -> T | None:
    """The judgement on a trial's outcome, or else on another outcome of the analysis.

    Parameters
    ----------
    judgements : mapping
        By trial id and outcome.
    endpoints : sequence of str
        The outcomes of the analysis.
    """
    places = [(trial_id, name) for name in (outcome, *endpoints)]
    return next((judgements[place] for place in places if place in judgements), None)


def judged_risk(sheet: Sheet, endpoints: Sequence[str], trial_id: str, outcome: str) -> str:
    """Overall risk of bias (see `judged`): ``low``, ``some_concerns``, ``high``, ``not judged``."""
    return judged(sheet.judgements, endpoints, trial_id, outcome) or NOT_JUDGED


def unjudged_problems(
    sheet: Sheet, configuration: Configuration, among: Collection[str] | None = None
) -> Iterator[Problem]:
    """A warning for each trial in a pooled answer whose outcome has no risk-of-bias judgement.

    Parameters
    ----------
    among : collection of str, optional
        Trials to check; all by default.
    """
    lacking: dict[str, dict[str, list[str]]] = {}
    for setting in configuration.settings:
        analyses = {a.id: a for a in configuration.answers if a.setting == setting}
        found = _in_doubt(sheet, setting, analyses.values())
        found = found if among is None else found.intersection(among)
        if not found:
            continue
        context = setting_context(of_trials(sheet, found), configuration, setting)
        for row in _pooled(context, analyses.values()):
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
    """Trials with a contrast that an analysis admits, but no judgement for its outcomes."""
    contrasts, judgements = contrasts_of_setting(sheet, setting), sheet["risk_of_bias"]
    found: set[str] = set()
    for analysis in analyses:
        own = judgements["outcome"].isin([*analysis.endpoints, *analysis.labels])
        found |= matches(contrasts, analysis).keys() - {*judgements["trial_id"][own]}
    return found


def _pooled(context: Context, analyses: Iterable[Analysis]) -> Iterator[Record]:
    """Rows that these analyses pool, one per trial and analysis.

    Nothing else is extracted and no effect is computed, because a check should take only seconds.
    """
    for analysis in analyses:
        for group in matches(context.contrasts, analysis).values():
            used, _ = trial_evidence(context, analysis, group, (ALL,))
            yield from (row for row in used[:1] if row["pooled"] == "yes" and _tells(row))


def _tells(row: Record) -> bool:
    """Whether counts are informative: false if no patient, or every patient, had the event."""
    pairs = [(row.get(f"events_{side}"), row.get(f"n_{side}")) for side in SIDES]
    return not (all(x == 0 for x, _ in pairs) or all(x == n for x, n in pairs))
