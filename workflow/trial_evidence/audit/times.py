"""Checks of results over time: milestone rates, medians, and results from digitised curves."""

import math
from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from itertools import pairwise, permutations, product

from trial_evidence.audit import words
from trial_evidence.audit.findings import Finding, Severity, finding
from trial_evidence.audit.rows import PAIR, current_rows, grouped, known, rows_by
from trial_evidence.files import Record, records
from trial_evidence.sheet import Sheet
from trial_evidence.sheet.values import ALL, CURVE

RISES = "rate rises over time"
BELOW = "fewer alive than event-free"
RATES_V_RATIO = "rates against hazard ratio"
MEDIAN_V_RATE = "median against rate"
CURVE_V_RATIO = "printed hazard ratio against curve"
NOT_PROPORTIONAL = "hazards not proportional"
UNPAIRED = "no arm to compare with"

# Percentage points by which hazards that are not proportional, and later reports, may move a rate.
FAR = 10
_ENDS = ("ci_low", "ci_high")
# Rates are printed with at most one decimal; two reports may round differently.
ROUNDING = 0.1
# Adjusted and unadjusted hazard ratios of the same patients differ by less than this factor.
CURVE_FACTOR = 1.15
PROPORTIONAL_P = 0.05


def rising_rates(sheet: Sheet) -> Iterator[Finding]:
    """Event-free rates that are higher later than earlier, in the same arm."""
    same = ("arm_id", "outcome", "population", "subgroup")
    for rows in grouped(current_rows(sheet, "rates"), *same).values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: row["months"])):
            if later["months"] > earlier["months"] and _above(later, earlier):
                what = f"{earlier['arm_id']}, {_what(earlier)}: {_at(earlier)}, but {_at(later)}."
                yield _rates_apart(RISES, earlier, later, what)


def survival_below_event_free(sheet: Sheet, survival: Collection[str]) -> Iterator[Finding]:
    """Fewer patients alive than alive and event-free, in the same arm at the same time.

    Parameters
    ----------
    survival : collection of str
        Outcomes whose events are all deaths and nothing else.
    """
    for rows in grouped(current_rows(sheet, "rates"), "arm_id", "subgroup", "months").values():
        for alive, free in permutations(rows, 2):
            dead_only = alive["outcome"] in survival and free["outcome"] not in survival
            if dead_only and _above(free, alive):
                what = (
                    f"{alive['arm_id']}{words.subgroup(alive)}: {alive['outcome']} {_at(alive)}, "
                    f"but {free['outcome']} {_at(free)}, and that counts deaths as well."
                )
                yield _rates_apart(BELOW, alive, free, what)


def rates_against_ratio(sheet: Sheet) -> Iterator[Finding]:
    """Rates of two arms far from what their hazard ratio allows, over its whole interval.

    With proportional hazards, the event-free share of one arm is that of the other to the power of
    the hazard ratio.
    """
    rates = rows_by(current_rows(sheet, "rates"), "arm_id", "outcome", "subgroup")
    known_limits = [
        row for row in current_rows(sheet, "contrasts") if all(known(row[end]) for end in _ENDS)
    ]
    same = (*PAIR, "outcome", "subgroup")
    for (_, experimental, control, *about), ratios in grouped(known_limits, *same).items():
        for one, other in product(rates[experimental, *about], rates[control, *about]):
            # A rate of 0 or 100% allows any hazard ratio.
            if one["months"] != other["months"] or {one["percent"], other["percent"]} & {0, 100}:
                continue
            # Of several analyses the nearest is compared.
            ratio = min(ratios, key=partial(_beyond, one, other))
            if _beyond(one, other, ratio) > FAR:
                what = (
                    f"{words.stated(ratio)} (row {ratio['row']} of {ratio['table']}.csv), but "
                    f"{one['arm_id']} {_at(one)}, and {other['arm_id']} {_at(other)}."
                )
                # Hazards need not be proportional.
                columns = ("months", "percent")
                yield finding("medium", RATES_V_RATIO, [one, other], columns, what)


def _beyond(one: Record, other: Record, ratio: Record) -> float:
    """Percentage points by which a rate is outside what the other and the ratio allow."""
    limits = [100 * (other["percent"] / 100) ** ratio[end] for end in _ENDS]
    return float(max(min(limits) - one["percent"], one["percent"] - max(limits)))


def medians_against_rates(sheet: Sheet) -> Iterator[Finding]:
    """Rates above one half after the median, or below one half before it."""
    rates = rows_by(current_rows(sheet, "rates"), "arm_id", "outcome")
    for median in current_rows(sheet, "times"):
        for rate in rates[median["arm_id"], median["outcome"]]:
            after = rate["months"] - median["median_months"]
            beyond = rate["percent"] - 50
            if rate["subgroup"] == ALL and after * beyond > 0 and abs(beyond) > ROUNDING:
                what = (
                    f"{median['arm_id']}, {_what(median)}: the median is "
                    f"{median['median_months']:g} months ({median['source_id']}, row "
                    f"{median['row']} of {median['table']}.csv), but {_at(rate)}."
                )
                about = f"{median['source_id']} {median['median_months']}"
                severity, columns = _severity(median, rate), ("months", "percent")
                yield finding(severity, MEDIAN_V_RATE, [rate], columns, what, about=about)


def printed_against_curve(sheet: Sheet) -> Iterator[Finding]:
    """Printed hazard ratios that differ from that of the digitised curves of the same arms.

    The closest of the printed ones is compared, since a curve belongs to one of several analyses.
    """
    for curve, rows in _with_curves(sheet):
        printed = [row for row in rows if row["derivation"] != CURVE]
        apart = [abs(math.log(row["hr"] / curve["hr"])) for row in printed]
        if printed and min(apart) > math.log(CURVE_FACTOR):
            nearest = printed[apart.index(min(apart))]
            what = (
                f"{words.stated(nearest)} is printed; the digitised curve ({curve['figure']}) "
                f"gives {curve['hr']:.2f} ({curve['ci_low']:.2f} to {curve['ci_high']:.2f})."
            )
            about = f"{curve['hr']:.6g}"
            yield finding("medium", CURVE_V_RATIO, [nearest], ("hr",), what, about=about)


def hazards_not_proportional(sheet: Sheet) -> Iterator[Finding]:
    """Hazard ratios whose curves contradict proportional hazards: an average over time."""
    for curve, rows in _with_curves(sheet):
        if curve["ph_p"] < PROPORTIONAL_P:
            what = (
                f"{words.pair(rows[0])}, {rows[0]['outcome']}: the digitised curves "
                f"({curve['figure']}) violate proportional hazards (p = {curve['ph_p']:.2g}): the "
                "hazard ratio is an average over the follow-up."
            )
            about = f"{curve['ph_p']:.6g}"
            yield finding("low", NOT_PROPORTIONAL, rows, ("hr",), what, about=about)


def unpaired_counts(sheet: Sheet) -> Iterator[Finding]:
    """Counts that no other arm of the trial has from the same source by the same definition.

    Only for tables with several outcomes, where arms are compared within one source and one
    definition. One finding per trial and outcome.
    """
    rows = [row for row in current_rows(sheet, "counts") if row["outcome"] != row["table"]]
    arms = Counter(arm["trial_id"] for arm in records(sheet["arms"]))
    same = ("trial_id", "outcome", "definition", "population", "subgroup", "source_id")
    alone: dict[tuple[str, ...], list[Record]] = {}
    for (table, trial, outcome, *_), found in grouped(rows, *same).items():
        if len({row["arm_id"] for row in found}) == 1 and arms[trial] > 1:
            alone.setdefault((table, trial, outcome), []).extend(found)
    for (_, _, outcome), found in alone.items():
        what = (
            f"{outcome.replace('_', ' ')} of {words.listed(row['arm_id'] for row in found)}: no "
            "other arm by the same definition from the same source, so it is not compared."
        )
        yield finding("low", UNPAIRED, found, ("definition", "source_id"), what)


def _with_curves(sheet: Sheet) -> Iterator[tuple[Record, list[Record]]]:
    """Results from the digitised curves of a contrast, and its current rows for all patients."""
    curves = {(*(row[arm] for arm in PAIR), row["endpoint"]): row
              for row in records(sheet["curves_cox"])}  # fmt: skip
    whole = [row for row in current_rows(sheet, "contrasts") if row["subgroup"] == ALL]
    for (_, *key), rows in grouped(whole, *PAIR, "outcome").items():
        if tuple(key) in curves:
            yield curves[tuple(key)], rows


def _rates_apart(check: str, one: Record, other: Record, what: str) -> Finding:
    return finding(_severity(one, other), check, [one, other], ("months", "percent"), what)


def _severity(one: Record, other: Record) -> Severity:
    # Between sources, a later report may correct an earlier one.
    return "high" if one["source_id"] == other["source_id"] else "medium"


def _above(one: Record, other: Record) -> bool:
    return bool(one["percent"] > other["percent"] + ROUNDING)


def _what(row: Record) -> str:
    return f"{row['outcome']}{words.subgroup(row)}"


def _at(row: Record) -> str:
    return f"{row['percent']:g}% at {row['months']:g} months ({row['source_id']}, row {row['row']})"
