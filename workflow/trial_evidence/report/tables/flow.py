"""How the evidence was found and selected: the counts of a PRISMA 2020 flow diagram.

For new and updated reviews. Results of a documented search are counted record by record; for
evidence found otherwise, only the trials are known.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from trial_evidence.files import Record, records, where
from trial_evidence.network.evidence.rows import EVERY_ANALYSIS
from trial_evidence.report.material.material import Material, ReportTable, source_ids
from trial_evidence.report.tables.characteristics import included_trials, used_trials
from trial_evidence.words.printed import counted, listing, lower_first, words

NOT_RECORDED = "not recorded"
CURATED = "a curated search, not a systematic database search with a documented strategy"
UNUSED = "Trials and cohorts in no result"
USED = "Trials and cohorts in a comparison, a network or a pooled rate"


@dataclass(frozen=True)
class Step:
    """A step of the flow.

    Attributes
    ----------
    n : int or None
        None if not counted. Nothing is estimated.
    short : str, optional
        A shorter detail that fits into the figure; by default the whole detail.
    place : str
        In the figure: ``main``; ``leaves`` the step before it (which counts both those that remain
        and those that leave); ``joins`` the step before it. ``""``: only in the table.
    """

    stage: str
    step: str
    n: int | None
    detail: str = ""
    short: str | None = None
    place: Literal["main", "leaves", "joins", ""] = "main"


def flow_table(material: Material) -> ReportTable:
    """The steps of the PRISMA 2020 flow; ``n`` is missing if not counted."""
    rows = map(vars, flow_steps(material))
    return material.table("flow", rows, {"recorded": _recorded}, search=search_in_words(material))


def _recorded(row: Record, key: str) -> str:
    return NOT_RECORDED if row[key] is None else f"{row[key]:,}"


def search_dates(material: Material) -> tuple[str, ...]:
    """Dates of the searches, in order and without duplicates."""
    return tuple(sorted(set(material.sheet["search_log"]["date"])))


def search_in_words(material: Material) -> str:
    """The kind of search: curated, documented, or both."""
    documented, curated = _searches(material)
    if documented.empty:
        return CURATED
    dated = [f"{row['where']}, {row['date']}" for row in records(documented)]
    search = "a documented search" if len(documented) == 1 else "documented searches"
    search += f" ({'; '.join(dated)})"
    return search if curated.empty else f"{CURATED}, brought up to date by {search}"


def _searches(material: Material) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The searches whose records were screened one by one, and the curated ones."""
    log = material.sheet["search_log"]
    screened = log["search_id"].isin(material.sheet["screening"]["search_id"])
    return log[screened], log[~screened]


def flow_steps(material: Material) -> tuple[Step, ...]:
    """Every step, from the searches to the results."""
    screened = material.sheet["screening"]
    return (*_searched(material), *_screened(screened), *_in_the_sheet(material), *_used(material))


def _searched(material: Material) -> Iterator[Step]:
    documented, curated = _searches(material)
    numbered = int(curated["queries"].notna().sum())
    queries = f"in {numbered} of {counted(len(curated), 'search', 'searches')}"
    asked = int(curated["queries"].sum())
    days = listing(sorted(set(curated["date"])))
    short = f"{counted(asked, 'query', 'queries')}, {days}" if asked else days
    place: Literal["main", ""] = "main" if documented.empty else ""
    searches = len(documented) + len(curated)
    yield Step("Identification", "Searches", searches, _search_details(curated), short, place)
    yield Step("Identification", "Queries", asked if len(curated) else None, queries, place="")
    found = None if documented.empty else len(material.sheet["screening"])
    yield Step("Identification", "Records identified", found, _search_details(documented))


def _search_details(searches: pd.DataFrame) -> str:
    keys = ("date", "where", "scope", "note")
    rows = records(searches)
    return " / ".join("; ".join(filter(None, (row[key] for key in keys))) for row in rows)


def _screened(screened: pd.DataFrame) -> Iterator[Step]:
    """The screening of records of documented searches; without such a search, not counted."""
    times = Counter(screened["decision"])

    def step(stage: str, name: str, *decisions: str, aside: bool = False) -> Step:
        n = sum(times[decision] for decision in decisions) if len(screened) else None
        detail = _reasons(screened[screened["decision"].isin(decisions)]) if aside else ""
        return Step(stage, name, n, detail, place="leaves" if aside else "main")

    reached = ["not_eligible", "included"]
    yield Step(
        "Identification", "Records removed before screening",
        times["duplicate"] + times["known"] if len(screened) else None,
        f"duplicates {times['duplicate']}; in the sheet before {times['known']}"
        if len(screened) else "", place="leaves",
    )  # fmt: skip
    name = "Records to be screened" if times[""] else "Records screened"
    yield step("Screening", name, "", "excluded", "not_retrieved", *reached)
    if times[""]:
        yield step("Screening", "Records not screened yet", "", aside=True)
    yield step("Screening", "Records excluded", "excluded", aside=True)
    yield step("Screening", "Reports sought for retrieval", "not_retrieved", *reached)
    yield step("Screening", "Reports not retrieved", "not_retrieved", aside=True)
    yield step("Screening", "Reports assessed for eligibility", *reached)
    yield step("Screening", "Reports excluded", "not_eligible", aside=True)


def _reasons(rows: pd.DataFrame) -> str:
    """Number excluded for each reason, the most frequent first."""
    times = Counter(reason.strip(" .") for reason in rows["reason"] if reason)
    return "; ".join(f"{reason} {n}" for reason, n in times.most_common())


def _in_the_sheet(material: Material) -> Iterator[Step]:
    sheet = material.sheet
    trials, screened = sheet["trials"], sheet["screening"]
    included, new = where(screened, decision="included"), new_trials(material)
    if len(screened):
        reports = _reports(material)
        of_new = set().union(*(reports[trial] for trial in new))
        further = len(included) - int(included["source_id"].isin(of_new).sum())
        detail = f"of {counted(len(new), 'new trial or cohort', 'new trials and cohorts')}"
        if further:
            detail += f"; {counted(further, 'further report')} of trials that were in the sheet"
        yield Step("Included", "Reports included", len(included), detail)
    randomised = len(where(trials, randomised="yes"))
    held = [
        counted(len(sheet["sources"]), "report"),
        counted(randomised, "randomised trial"),
        f"{counted(len(trials) - randomised, 'cohort')} without randomisation",
        *(
            f"{name} {len(where(trials, setting=setting))}"
            for setting, name in material.settings.items()
        ),
    ]
    yield Step("Included", "Trials and cohorts in the sheet", len(trials), "; ".join(held))
    before = len(trials) - len(new) if len(screened) else 0
    if before:
        known = counted(len(sheet["sources"]) - included["source_id"].nunique(), "report")
        name = "Trials and cohorts of the review before"
        yield Step("Included", name, before, known, place="joins")
    unused = set(trials["trial_id"]) - included_trials(material)
    names = sorted(map(material.trial_name, unused))
    # The many names are listed in the table, not in a box of the figure.
    yield Step("Included", UNUSED, len(names), "; ".join(names), "", "leaves")


def new_trials(material: Material) -> set[str]:
    """Trials whose every report was found by a documented search and included."""
    included = set(where(material.sheet["screening"], decision="included")["source_id"])
    return {trial for trial, found in _reports(material).items() if found and found <= included}


def _reports(material: Material) -> dict[str, set[str]]:
    """Trial -> the sources of its results."""
    reported = material.reported[["trial_id", "source_id"]]
    found: dict[str, set[str]] = {trial: set() for trial in material.sheet["trials"]["trial_id"]}
    for trial, cell in reported.itertuples(index=False):
        found[trial].update(source_ids(cell))
    return found


def _used(material: Material) -> Iterator[Step]:
    excluded = material.sheet["exclusions"]
    compared, others = used_trials(material)
    yield Step("Synthesis", USED, len(compared | others))
    only = len(others - compared)
    yield Step("Synthesis", "In a network or a pooled rate only", only, place="leaves")
    yield Step("Synthesis", "Trials in a comparison", len(compared))
    places: dict[tuple[str, str], list[str]] = {}
    for row in records(excluded):
        decision = _left_out(material, row), row["reason"].rstrip(".")
        places.setdefault(decision, []).append(_out_of(material, row))
    decisions = "; ".join(
        f"{left_out} (left out of {listing(of)}): {reason}"
        for (left_out, reason), of in places.items()
    )
    yield Step("Synthesis", "Decisions to leave out", len(excluded), decisions, place="")


def _left_out(material: Material, decision: Record) -> str:
    """The trial, or the arm of it, that a decision excludes."""
    name = material.trial_name(decision["trial_id"])
    if not decision["arm_id"]:
        return name
    return f"{name}, arm {material.arm_labels[decision['arm_id']]}"


def _out_of(material: Material, decision: Record) -> str:
    """The results from which a decision excludes a trial, as the report names them."""
    setting = material.trials[decision["trial_id"]]["setting"]
    analysis = decision["analysis"]
    title = material.titles.get((setting, analysis), words(analysis))
    results = "every result" if analysis == EVERY_ANALYSIS else f"“{title}”"
    if decision["subgroup"] == EVERY_ANALYSIS:
        return results
    return f"{results} by {words(decision['subgroup'])}"


def uncounted(material: Material) -> str:
    """A sentence on the steps that were not counted; empty if all were."""
    names = [lower_first(step.step) for step in flow_steps(material) if step.n is None]
    if names:
        return f"Not counted: {listing(names)}."
    _, curated = _searches(material)
    return "" if curated.empty else "The records of the curated search were not counted."
