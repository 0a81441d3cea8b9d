"""How findings describe rows of the sheet: results, numbers, arms and row numbers."""

from collections.abc import Iterable

from trial_evidence.audit.rows import FOLLOWUP, known
from trial_evidence.files import Record
from trial_evidence.sheet.values import ALL
from trial_evidence.words.printed import listing

# Values of an assessor that mean unknown.
UNSAID = ("not reported", "not applicable")


def ratio(row: Record) -> str:
    """Return a hazard ratio with its interval in words: ``0.81 (95% 0.66 to 1.00)``."""
    limits = f"{row['ci_low_printed'] or '?'} to {row['ci_high_printed'] or '?'}"
    if not row["ci_low_printed"] and not row["ci_high_printed"]:
        return f"{row['hr_printed']} (no interval)"
    return f"{row['hr_printed']} ({row['ci_level']:g}% {limits})"


def pair(row: Record) -> str:
    """Return the arms that a hazard ratio compares."""
    return f"{row['experimental_arm_id']} v {row['control_arm_id']}"


def result(row: Record) -> str:
    """Return a description of a contrast without its numbers."""
    words = f"{row['endpoint']}, {row['analysis']} analysis"
    if row["assessor"] not in UNSAID:
        words += f", {row['assessor']}"
    if known(row[FOLLOWUP]):
        words += f", {row[FOLLOWUP]:g} months"
    return words + subgroup(row)


def stated(row: Record) -> str:
    """Return a hazard ratio with its arms and description: ``a v b, endpoint, analysis: 0.81``."""
    return f"{pair(row)}, {result(row)}: {ratio(row)}"


def subgroup(row: Record) -> str:
    """Return ``, factor=level`` for a result of a subgroup, nothing for one of all patients."""
    return "" if row["subgroup"] == ALL else f", {row['subgroup']}"


def count(row: Record) -> str:
    """Return events and patients of an arm: ``49 of 107``."""
    return f"{row['events']:.0f} of {row['n']:.0f}"


def listed(items: Iterable[str]) -> str:
    """Return unique items joined as in a sentence: ``a, b and c``."""
    return listing([*dict.fromkeys(items)])


def row_numbers(rows: Iterable[Record]) -> str:
    """Return ``row 5`` or ``rows 5, 7 and 9``."""
    numbers = sorted({int(row["row"]) for row in rows})
    return f"row{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def patients(number: float) -> str:
    """Return ``1 patient`` or ``3 patients``."""
    return f"{number:.0f} patient{'' if number == 1 else 's'}"
