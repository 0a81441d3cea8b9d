"""Rows that the analyst types into the workbook: a two-arm trial with its judgements."""

from pathlib import Path

from openpyxl import load_workbook

REASON = "The made-up patients are not those of the question."
COLUMNS = {
    "sources": ["source_id", "first_author", "year", "journal", "title_short", "type"],
    "trials": [
        "trial_id", "name", "setting", "phase", "randomised", "blinded", "n_randomised",
        "population", "primary_endpoint",
    ],
    "arms": [
        "trial_id", "arm_id", "label", "agents", "her2_schedule", "partner", "partner_detail",
        "n_randomised",
    ],
    "pcr": [
        "trial_id", "arm_id", "definition", "population", "assessor", "subgroup", "events", "n",
        "reported_percent", "source_id", "locator", "verification", "derivation", "status",
    ],
    "risk_of_bias": [
        "trial_id", "outcome", "d1_randomisation", "d2_deviations", "d3_missing", "d4_measurement",
        "d5_selection", "overall", "basis", "source_id",
    ],
    "certainty": [
        "setting", "analysis", "domain", "judgement", "reason", "initials", "date",
    ],
}  # fmt: skip
# Two arms, 60 of 120 against 40 of 120.
NEW = {
    "sources": [["roe_2026_trial_q", "Roe", 2026, "Journal of Made-up Results", "Q", "article"]],
    "trials": [
        ["trial_q", "TRIAL-Q", "neoadjuvant", "3", "yes", "no", 240, "HER2+ early", "pCR"]
    ],
    "arms": [
        ["trial_q", "trial_q_dual", "T+P+docetaxel", "pertuzumab+trastuzumab", "concurrent",
         "chemotherapy", "docetaxel x4", 120],
        ["trial_q", "trial_q_single", "T+docetaxel", "trastuzumab", "concurrent", "chemotherapy",
         "docetaxel x4", 120],
    ],
    "pcr": [
        ["trial_q", arm, "ypT0/is ypN0", "ITT", "local", "all", events, 120, percent,
         "roe_2026_trial_q", "Table 2", "primary", "reported", "current"]
        for arm, events, percent in (("trial_q_dual", 60, 50.0), ("trial_q_single", 40, 33.3))
    ],
    "risk_of_bias": [["trial_q", "pCR", *["low"] * 6, "judged", "roe_2026_trial_q"]],
    "certainty": [
        ["neoadjuvant", "pcr_dual_v_trastuzumab", "indirectness", "very_serious", REASON, "QQ",
         "2026-03-01"]
    ],
}  # fmt: skip


def type_rows(book: Path) -> None:
    """Type the new rows below the last row of each table."""
    workbook = load_workbook(book)
    for table, rows in NEW.items():
        sheet = workbook[table]
        header = [cell.value for cell in sheet[1]]
        for typed in rows:
            row = sheet.max_row + 1
            for name, value in zip(COLUMNS[table], typed, strict=True):
                sheet.cell(row, header.index(name) + 1).value = value
    workbook.save(book)
