"""How the evidence was found and what became of it: the counts of a flow diagram."""

from collections.abc import Mapping, Sequence
from typing import Any

from trial_evidence.files import records
from trial_evidence.report.material.material import Material
from trial_evidence.report.material.table import ReportTable, counted, report_table

NOT_RECORDED = "not recorded"
SEARCH_WORDS = "a curated search, not a systematic database search with a documented strategy"


def flow_table(material: Material) -> ReportTable:
    """The steps of the PRISMA 2020 flow with the counts that are known.

    Parameters
    ----------
    material : Material

    Returns
    -------
    ReportTable
        ``data``: ``step`` and ``n`` (missing where nobody counted). Nothing is estimated: records
        that were not counted when they were looked at are not recorded.
    """
    rows = [
        {"stage": stage, "step": step, "n": n, "detail": detail}
        for stage, step, n, detail in _steps(material)
    ]
    shown = [
        {
            "Stage": str(row["stage"]),
            "Step": str(row["step"]),
            "Number": NOT_RECORDED if row["n"] is None else f"{row['n']:,}",
            "Detail": str(row["detail"]),
        }
        for row in rows
    ]
    return report_table(
        "flow",
        "From the search to the pools (after PRISMA 2020)",
        shown,
        rows,
        ["Stage", "Step", "Number", "Detail"],
        ["stage", "step", "n", "detail"],
        [f"This was {SEARCH_WORDS}. Steps that a systematic review would count and that nobody "
         "counted are marked “not recorded”."],
    )  # fmt: skip


def search_dates(material: Material) -> tuple[str, ...]:
    """Days of the searches, each once, in order."""
    return tuple(sorted(set(material.sheet["search_log"]["date"])))


def pooled_trial_ids(material: Material) -> set[str]:
    """Trials that at least one pool, or one single result, of a comparison rests on."""
    trials = material.evidence.trials
    return set(trials.loc[trials["pooled"] == "yes", "trial_id"])


def _steps(material: Material) -> Sequence[tuple[str, str, int | None, str]]:
    sheet = material.sheet
    log = sheet["search_log"]
    trials = sheet["trials"]
    queries = log["queries"]
    known = int(queries.sum())
    missing = int(queries.isna().sum())
    randomised = trials[trials["randomised"] == "yes"]
    compared = pooled_trial_ids(material)
    rated = set(material.evidence.rates.loc[material.evidence.rates["pooled"] == "yes", "trial_id"])
    every = set(trials["trial_id"])
    excluded = sheet["exclusions"]
    settings = "; ".join(
        f"{name} {int((trials['setting'] == setting).sum())}"
        for setting, name in material.configuration.settings.items()
    )
    return [
        ("Identification", "Searches", len(log), " / ".join(
            "; ".join(filter(None, (row[c] for c in ("date", "where", "scope", "note"))))
            for row in records(log))),
        ("Identification", "Queries", known if len(log) else None,
         f"in {len(log) - missing} of {counted(len(log), 'search', 'searches')}"),
        ("Identification", "Records identified", None, ""),
        ("Identification", "Duplicates removed", None, ""),
        ("Screening", "Records screened", None, ""),
        ("Screening", "Records excluded", None, ""),
        ("Screening", "Reports sought and not retrieved", None, ""),
        ("Included", "Reports in the sheet", len(sheet["sources"]), ""),
        ("Included", "Trials and cohorts in the sheet", len(every), settings),
        ("Included", "Randomised trials", len(randomised), ""),
        ("Synthesis", "Trials and cohorts in a comparison or a pooled rate",
         len(compared | rated), ""),
        ("Synthesis", "Trials in a comparison", len(compared), ""),
        ("Synthesis", "Trials and cohorts in no result", len(every - compared - rated),
         "; ".join(sorted(material.trial_name(name) for name in every - compared - rated))),
        ("Synthesis", "Decisions to leave out", len(excluded), "; ".join(
            f"{_left_out(material, row)}: {row['reason'].rstrip('.')}"
            for row in records(excluded))),
    ]  # fmt: skip


def _left_out(material: Material, decision: Mapping[str, Any]) -> str:
    """The trial, or the arm of it, that a decision leaves out."""
    name = material.trial_name(decision["trial_id"])
    if not decision["arm_id"]:
        return name
    arms = material.sheet["arms"]
    (label,) = arms.loc[arms["arm_id"] == decision["arm_id"], "label"]
    return f"{name}, arm {label}"
