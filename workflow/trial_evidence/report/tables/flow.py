"""How the evidence was found and what became of it: the counts of a flow diagram."""

from collections.abc import Iterator

from trial_evidence.files import records
from trial_evidence.report.material.material import Material, where
from trial_evidence.report.material.table import ReportTable
from trial_evidence.report.words.formats import Row
from trial_evidence.report.words.printed import counted

NOT_RECORDED = "not recorded"
SEARCH_WORDS = "a curated search, not a systematic database search with a documented strategy"
UNUSED = "Trials and cohorts in no result"
KEYS = ("stage", "step", "n", "detail")


def flow_table(material: Material) -> ReportTable:
    """The steps of the PRISMA 2020 flow with the counts that are known.

    ``n`` is missing where nobody counted. Nothing is estimated: records that were not counted when
    they were looked at are not recorded.
    """
    rows = [dict(zip(KEYS, step, strict=True)) for step in _steps(material)]
    return material.table("flow", rows, {"recorded": _recorded}, search=SEARCH_WORDS)


def _recorded(row: Row, key: str) -> str:
    return NOT_RECORDED if row[key] is None else f"{row[key]:,}"


def search_dates(material: Material) -> tuple[str, ...]:
    """Days of the searches, each once, in order."""
    return tuple(sorted(set(material.sheet["search_log"]["date"])))


def _steps(material: Material) -> Iterator[tuple[str, str, int | None, str]]:
    sheet, evidence = material.sheet, material.evidence
    log, trials, excluded = sheet["search_log"], sheet["trials"], sheet["exclusions"]
    # Trials that at least one pool, or one single result, rests on.
    compared, rated = (
        set(where(table, pooled="yes")["trial_id"]) for table in (evidence.trials, evidence.rates)
    )
    unused = set(trials["trial_id"]) - compared - rated
    searches = " / ".join(
        "; ".join(filter(None, (row[key] for key in ("date", "where", "scope", "note"))))
        for row in records(log)
    )
    numbered = int(log["queries"].notna().sum())
    queries = f"in {numbered} of {counted(len(log), 'search', 'searches')}"
    settings = "; ".join(
        f"{name} {len(where(trials, setting=setting))}"
        for setting, name in material.settings.items()
    )
    decisions = "; ".join(
        f"{_left_out(material, row)}: {row['reason'].rstrip('.')}" for row in records(excluded)
    )
    yield "Identification", "Searches", len(log), searches
    yield "Identification", "Queries", int(log["queries"].sum()) if len(log) else None, queries
    yield "Identification", "Records identified", None, ""
    yield "Identification", "Duplicates removed", None, ""
    yield "Screening", "Records screened", None, ""
    yield "Screening", "Records excluded", None, ""
    yield "Screening", "Reports sought and not retrieved", None, ""
    yield "Included", "Reports in the sheet", len(sheet["sources"]), ""
    yield "Included", "Trials and cohorts in the sheet", len(trials), settings
    yield "Included", "Randomised trials", len(where(trials, randomised="yes")), ""
    used = "Trials and cohorts in a comparison or a pooled rate"
    yield "Synthesis", used, len(compared | rated), ""
    yield "Synthesis", "Trials in a comparison", len(compared), ""
    names = sorted(map(material.trial_name, unused))
    yield "Synthesis", UNUSED, len(unused), "; ".join(names)
    yield "Synthesis", "Decisions to leave out", len(excluded), decisions


def _left_out(material: Material, decision: Row) -> str:
    """The trial, or the arm of it, that a decision leaves out."""
    name = material.trial_name(decision["trial_id"])
    if not decision["arm_id"]:
        return name
    (label,) = where(material.sheet["arms"], arm_id=decision["arm_id"])["label"]
    return f"{name}, arm {label}"
