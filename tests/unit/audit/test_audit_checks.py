"""Each check of the audit: what it finds, and what it ignores."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest
from audit_sheets import Row, found_by, row_of, sheet_with, valid_sheet
from expected_findings import EXPECTED
from trial_evidence.audit import counts, effects, hazards, sources, times
from trial_evidence.audit.findings import Finding
from trial_evidence.audit.stage import SHEET_CHECKS
from trial_evidence.pool.probes.influence import influence
from trial_evidence.sheet import Sheet

Check = Callable[[Sheet], Iterable[Finding]]
Edits = list[tuple[str, int, Row]]
Added = list[tuple[str, Row]]

PCR, HR = "pcr", "hazard_ratios"
RATES, MEDIANS, HARMS = "milestones", "medians", "harms"
SEVERE = {"trial_id": "trial_a", "arm_id": "trial_a_dual", "reported_percent": "",
          "outcome": "diarrhoea_grade_3_or_higher", "n": "107"}  # fmt: skip
# A rate in place of another no longer lies between its limits.
NO_LIMITS = {"ci_low": "", "ci_high": ""}


def survival_below(sheet: Sheet) -> Iterable[Finding]:
    return times.survival_below_event_free(sheet, {"OS"})


def severe_above_any(sheet: Sheet) -> Iterable[Finding]:
    return counts.part_above_whole(sheet, {"diarrhoea_grade_3_or_higher": ["diarrhoea_any"]})


def second_hand(sheet: Sheet) -> Iterable[Finding]:
    return sources.second_hand(sheet, ())


# Rows of the valid sheet. pcr: 2 is 42 of 105 (trial A, dual arm, ypT0/is ypN0), 3 and 4 its levels
# 15 of 55 and 27 of 50; 5 is 23 of 105 (single); 8 is 47 of 105 and 9 is 30 of 105 by ypT0/is.
# hazard_ratios: 5 is the primary analysis of trial C, 0.78 (0.44 to 1.38) at 36 months, 4 the final
# one, 0.80 (0.50 to 1.28) at 60; 10 and 11 are trial F. milestones: 2 and 4 are trial F, dual arm,
# 94.1% at 36 and 89.0% at 60 months; 7 its single arm's survival; 9 trial H, single, 52% at 12.
FOUND: list[tuple[str, Check, Edits, Added, str, list[str]]] = [
    (
        "more patients in the levels than in the arm",
        counts.levels_against_whole,
        [(PCR, 3, {"events": "16", "n": "56"})],  # 16 + 27 = 43 of 56 + 50 = 106
        [],
        "high",
        ["43 events in 106 patients", "42 events in 105 patients", "is impossible"],
    ),
    (
        "an event without a patient to have it",
        counts.levels_against_whole,
        [(PCR, 3, {"events": "14"})],  # 14 + 27 = 41 of 105
        [],
        "high",
        ["41 events in 105 patients", "is impossible"],
    ),
    (
        "a patient in none of the levels",
        counts.levels_against_whole,
        [(PCR, 3, {"n": "54"})],  # 42 of 104
        [],
        "low",
        ["42 events in 104 patients", "1 patient in none of the levels"],
    ),
    (
        "patients in none of the levels",
        counts.levels_against_whole,
        [(PCR, 3, {"n": "53"})],  # 42 of 103
        [],
        "low",
        ["42 events in 103 patients", "2 patients in none of the levels"],
    ),
    (
        "levels of a hazard ratio with too many events",
        counts.levels_against_whole,
        [  # 150 + 75 = 225 of 220
            (HR, 10, {"events_experimental": "150"}),
            (HR, 11, {"events_experimental": "75"}),
        ],
        [],
        "high",
        ["experimental arm", "225 events in 2000 patients", "220 events in 2000 patients"],
    ),
    (
        "levels of a hazard ratio with too many events in the control arm",
        counts.levels_against_whole,
        [  # 200 + 75 = 275 of 272
            (HR, 10, {"events_control": "200"}),
            (HR, 11, {"events_control": "75"}),
        ],
        [],
        "high",
        ["control arm", "275 events in 2000 patients", "272 events in 2000 patients"],
    ),
    (
        "one level with two numbers of patients",
        counts.level_sizes,
        [],
        [row_of(PCR, 3, definition="ypT0/is", n="50", reported_percent="")],
        "medium",
        ["ypT0/is ypN0 55 (row 3)", "ypT0/is 50"],
    ),
    (
        "one level only",
        counts.missing_levels,
        [(PCR, 4, {"status": "superseded"})],
        [],
        "low",
        ["only positive is in the sheet", "trial_a_dual"],
    ),
    (
        "a rate that rises",
        times.rising_rates,
        [(RATES, 4, {"percent": "94.6"} | NO_LIMITS)],  # after 94.1% at 36 months
        [],
        "high",
        ["94.1% at 36 months", "but 94.6% at 60 months"],
    ),
    (
        "a rate that rises in a later report",
        times.rising_rates,
        [(RATES, 4, {"percent": "94.6", "source_id": "doe_2020_trial_g"} | NO_LIMITS)],
        [],
        "medium",
        ["doe_2020_trial_g"],
    ),
    (
        # 0.074 to the power of 0.67 is 17.5%.
        "a rate of the patients with an event",
        times.rates_against_ratio,
        [(RATES, 3, {"percent": "7.4"} | NO_LIMITS)],
        [],
        "medium",
        ["0.80 (95% 0.67 to 0.95)", "trial_f_dual 94.1% at 36", "trial_f_single 7.4% at 36"],
    ),
    (
        "more patients with a severe event than with any",
        severe_above_any,
        [(HARMS, 4, SEVERE | {"events": "51"})],
        [],
        "medium",
        ["51 of 107 had diarrhoea grade 3 or higher", "only 50 of 107 diarrhoea any"],
    ),
    (
        "fewer alive than free of an event",
        survival_below,
        [(RATES, 7, {"percent": "86.0"})],  # 86.4% are event-free
        [],
        "high",
        ["OS 86% at 60 months", "but iDFS 86.4% at 60 months"],
    ),
    (
        "more than half after the median",
        times.medians_against_rates,
        [(MEDIANS, 3, {"median_months": "11.0", "ci_low": "9"})],  # 52% at 12 months
        [],
        "high",
        ["the median is 11 months", "but 52% at 12 months"],
    ),
    (
        "less than half before the median",
        times.medians_against_rates,
        [(RATES, 9, {"percent": "48.0"})],  # at 12 months; the median is 12.4
        [],
        "high",
        ["the median is 12.4 months", "but 48% at 12 months"],
    ),
    (
        "a printed hazard ratio far from its curve",
        times.printed_against_curve,
        [("curves_cox", 2, {"hr": "0.69"})],  # 0.80 / 0.69 = 1.16
        [],
        "medium",
        ["0.80 (95% 0.67 to 0.95) is printed", "gives 0.69 (0.66 to 0.94)"],
    ),
    (
        "hazards that are not proportional",
        times.hazards_not_proportional,
        [("curves_cox", 2, {"ph_p": "0.003"})],
        [],
        "low",
        ["violate proportional hazards (p = 0.003)", "an average over the follow-up"],
    ),
    (
        "a harm by two definitions",
        times.unpaired_counts,
        [("harms", 3, {"definition": "loose stools"})],
        [],
        "low",
        ["diarrhoea any of trial_a_dual and trial_a_single", "no other arm by the same"],
    ),
    (
        "a percentage that no count gives",
        counts.percent_against_counts,
        # 48 of 105 is 45.71%, 49 is 46.67%; 17 of 37 = 45.95 apart, 45.9% is not among 102 to 108
        # except for 45 of 98 and 50 of 109, and these are too far off.
        [(PCR, 8, {"reported_percent": "45.9"})],
        [],
        "medium",
        ["45.9% is printed", "47 of 105 is 44.762%", "48 gives 45.71%", "49 gives 46.67%"],
    ),
    (
        "a percentage that another count gives",
        counts.percent_against_counts,
        [(PCR, 8, {"reported_percent": "45.7"})],  # 48 of 105 is 45.71%
        [],
        "medium",
        ["48 of 105 would give it"],
    ),
    (
        "a percentage that was cut off",
        counts.percent_against_counts,
        [(PCR, 8, {"reported_percent": "44.7"})],  # 44.762
        [],
        "low",
        ["truncated instead of rounded"],
    ),
    (
        "counts among several that the percentage gives",
        counts.percent_against_counts,
        # 38% of 220 is 82.5 to 84.7: 83 or 84.
        [(PCR, 11, {"reported_percent": "38", "derivation": "from_percent"})],
        [],
        "low",
        ["83 and 84 would give it; 84 is in the sheet"],
    ),
    (
        "more responses by the stricter definition",
        counts.stricter_definitions,
        [(PCR, 2, {"events": "48"})],
        [],
        "high",
        ["48 of 105 by ypT0/is ypN0", "47 of 105 by ypT0/is"],
    ),
    (
        "intention-to-treat without all patients",
        counts.itt_without_all,
        [("arms", 5, {"n_randomised": "111"})],
        [],
        "medium",
        ["110 patients; 111 were randomised"],
    ),
    (
        "events fall",
        hazards.successive_analyses,
        [(HR, 5, {"events_experimental": "50"}), (HR, 4, {"events_experimental": "40"})],
        [],
        "high",
        ["40 events in the experimental arm, previously 50"],
    ),
    (
        "events fall from an interim analysis to the primary one",
        hazards.successive_analyses,
        [(HR, 5, {"analysis": "interim", "events_experimental": "50"}),
         (HR, 4, {"analysis": "primary", "events_experimental": "40"})],
        [],
        "high",
        ["primary (row 4) after interim (row 5): 40 events in the experimental arm, previously 50"],
    ),
    (
        "events fall in the control arm",
        hazards.successive_analyses,
        [(HR, 5, {"events_control": "50"}), (HR, 4, {"events_control": "40"})],
        [],
        "high",
        ["40 events in the control arm, previously 50"],
    ),
    (
        "follow-up shrinks",
        hazards.successive_analyses,
        [(HR, 4, {"median_followup_months": "30"})],
        [],
        "medium",
        ["30 months of median follow-up, previously 36"],
    ),
    (
        "follow-up stays",
        hazards.successive_analyses,
        [(HR, 4, {"median_followup_months": "36"})],
        [],
        "medium",
        ["36 months of median follow-up, previously 36"],
    ),
    (
        # se 0.2916 and 0.2412; sqrt(0.0850 - 0.0582) = 0.164; log(1.40 / 0.78) = 0.585 is 3.6.
        "hazard ratio jumps",
        hazards.successive_analyses,
        [(HR, 4, {"hr": "1.40", "ci_low": "0.87", "ci_high": "2.24"})],
        [],
        "medium",
        ["1.40 (95% 0.87 to 2.24), previously 0.78 (95% 0.44 to 1.38)",
         "the log hazard ratio changed by 0.58"],
    ),
    (
        # se: log(1.60 / 0.40) / 3.92 = 0.354 after log(1.38 / 0.44) / 3.92 = 0.292
        "interval gets wider",
        hazards.successive_analyses,
        [(HR, 4, {"hr": "0.80", "ci_low": "0.40", "ci_high": "1.60"})],
        [],
        "medium",
        ["from 0.292 to 0.354"],
    ),
    (
        # Trial F, 220 and 272 events: sqrt(1/220 + 1/272) = 0.0907, 2 / sqrt(492) = 0.0902,
        # midpoint 0.0904. log(0.95 / 0.67) / (2 * 2.2414) = 0.0779; at 95% it is 0.0891.
        "level of the interval",
        hazards.events_against_interval,
        [(HR, 9, {"ci_level": "97.5"})],
        [],
        "high",
        ["standard error of 0.078", "220 and 272 events give 0.090", "a 95% interval"],
    ),
    (
        # sqrt(1/60 + 1/120) = 0.1581; equal arms if sizes are unknown: 2/sqrt(180) = 0.1491
        "fewer events than the interval needs, arms of unknown size",
        hazards.events_against_interval,
        [(HR, 9, {"events_experimental": "60", "events_control": "120", "n_experimental": "",
                  "n_control": ""})],
        [],
        "medium",
        ["standard error of 0.089", "60 and 120 events give 0.154"],
    ),
    (
        # se at most log(0.785 / 0.695) / 3.91993 = 0.031066: 4 / 0.031066**2 = 4144.7 events.
        "more events needed than patients",
        hazards.events_against_interval,
        [(HR, 30, {"hr": "0.74", "ci_low": "0.70", "ci_high": "0.78", "p_value": "<0.001"})],
        [],
        "high",
        ["needs at least 4145 events, but only 290 patients"],
    ),
    (
        # Without the patients analysed, those randomised: no more of them can have had an event.
        "more events needed than patients randomised",
        hazards.events_against_interval,
        [(HR, 30, {"hr": "0.74", "ci_low": "0.70", "ci_high": "0.78", "p_value": "<0.001",
                   "n_experimental": "", "n_control": ""})],
        [],
        "high",
        ["patients were randomised"],
    ),
    (
        "more events needed than patients randomised, of one arm not known how many analysed",
        hazards.events_against_interval,
        [(HR, 30, {"hr": "0.74", "ci_low": "0.70", "ci_high": "0.78", "p_value": "<0.001",
                   "n_control": ""})],
        [],
        "high",
        ["patients were randomised"],
    ),
    (
        "medians on the other side, clear interval",
        hazards.medians_against_ratio,
        [(HR, 17, {"median_experimental_months": "12.4", "median_control_months": "18.5"})],
        [],
        "high",
        ["favours the experimental arm", "12.4 (experimental) and 18.5 (control)"],
    ),
    (
        "medians on the other side, unclear interval",
        hazards.medians_against_ratio,
        [
            (HR, 18, {"median_experimental_months": "40", "median_control_months": "45"}),
        ],
        [],
        "low",
        ["0.72 (95% 0.49 to 1.07)"],
    ),
    (
        "medians that favour the experimental arm, hazard ratio the control arm",
        hazards.medians_against_ratio,
        [
            (HR, 18, {
                "hr": "1.39", "ci_low": "0.93", "ci_high": "2.04", "p_value": "",
                "median_experimental_months": "45", "median_control_months": "40",
            }),
        ],
        [],
        "low",
        ["favours the control arm", "45 (experimental) and 40 (control)"],
    ),
    (
        # log(0.62) = -0.478; se log(1.03 / 0.37) / 3.92 = 0.2612; z 1.83, p 0.067, one-sided 0.034
        "p value of the other sidedness",
        hazards.p_value_against_interval,
        [(HR, 3, {"p_value": "0.033"})],
        [],
        "high",
        ["p = 0.033 (two-sided)", "It would fit as one-sided"],
    ),
    (
        # From the interval with rounding 0.0050 to 0.010, below 0.025; 0.030 is not.
        "p value on the other side of the one-sided level",
        hazards.p_value_against_interval,
        [(HR, 30, {"p_value": "0.030", "p_sided": "one"})],
        [],
        "high",
        ["p = 0.030 (one-sided)", "gives 0.005 to 0.01"],
    ),
    (
        "p value too large",
        hazards.p_value_against_interval,
        [(HR, 3, {"p_value": "0.20"})],
        [],
        "medium",
        ["0.058 to 0.077"],
    ),
    (
        "two sources, counts",
        sources.conflicts,
        [],
        [row_of(PCR, 2, events="40", source_id="doe_2020_trial_b")],
        "high",
        ["42 of 105 in doe_2020_trial_a", "40 of 105 in doe_2020_trial_b"],
    ),
    (
        "two sources, hazard ratios",
        sources.conflicts,
        [],
        [row_of(HR, 9, hr="0.81", ci_high="0.97", source_id="doe_2020_trial_g")],
        "high",
        ["0.80 (95% 0.67 to 0.95)", "0.81 (95% 0.67 to 0.97)"],
    ),
    (
        "two sources of one year, one of them without a time",
        sources.conflicts,
        [],
        [row_of(HR, 9, hr="0.81", source_id="doe_2020_trial_g", median_followup_months="")],
        "high",
        ["0.81 (95% 0.67 to 0.95)"],
    ),
    (
        "two sources of two years, one of them without a time",
        sources.conflicts,
        [("sources", 9, {"year": "2021"})],  # trial G
        [row_of(HR, 9, hr="0.81", source_id="doe_2020_trial_g", median_followup_months="")],
        "medium",
        ["0.81 (95% 0.67 to 0.95)"],
    ),
    (
        "two sources, one of them without the assessor",
        sources.conflicts,
        [],
        [row_of(HR, 9, hr="0.81", source_id="doe_2020_trial_g", assessor="not reported")],
        "high",
        ["0.81 (95% 0.67 to 0.95)"],
    ),
    (
        "two sources, read off a curve",
        sources.conflicts,
        [],
        [
            row_of(
                HR, 9, hr="0.81", source_id="doe_2020_trial_g", derivation="digitised_curve"
            )
        ],
        "low",
        ["0.81 (95% 0.67 to 0.95)"],
    ),
    (
        "counts before enrolment ended in 2012",
        sources.too_early,
        [("sources", 6, {"year": "2011"})],  # cohort E
        [],
        "medium",
        ["was published in 2011, but patients were enrolled from 2010 to 2012"],
    ),
    (
        # midpoint of 2010 and 2012, plus 72 months: 2017, less a year of grace.
        "hazard ratio before the follow-up",
        sources.too_early,
        [("sources", 8, {"year": "2015"})],  # trial F
        [],
        "medium",
        ["was published in 2015", "72 months"],
    ),
    (
        # The end of enrolment in 2012, plus 72 months: 2018, less a year of grace.
        "hazard ratio before the follow-up, start of enrolment unknown",
        sources.too_early,
        [("sources", 8, {"year": "2016"}), ("trials", 8, {"enrolment_start_year": ""})],
        [],
        "medium",
        ["patients were enrolled until 2012"],
    ),
    (
        # Row 4 is trial C's final analysis at 60 months, published in 2020.
        "a later report without its follow-up",
        sources.later_without_follow_up,
        [("sources", 2, {"year": "2022"})],  # trial A's report
        [row_of(HR, 4, source_id="doe_2020_trial_a", median_followup_months="")],
        "medium",
        ["was published in 2022", "0.80 (95% 0.50 to 1.28) of 2020, at 60 months"],
    ),
    (
        # Trial H, 0.62 (0.51 to 0.75) by central review: se 0.0984 and 0.0940, rho 0.8:
        # sqrt(0.00968 + 0.00884 - 1.6 * 0.00925) = 0.061; log(1 / 0.62) = 0.478 is 7.8 times that
        "two assessors",
        effects.own_other_results,
        [(HR, 19, {"hr": "1.00", "ci_low": "0.83", "ci_high": "1.20"})],
        [],
        "medium",
        ["0.62 (95% 0.51 to 0.75)", "1.00 (95% 0.83 to 1.20)", "7.8 standard deviations"],
    ),
    (
        # Trial F: se 0.0891 and 0.1242, rho 0.5: sqrt(0.00794 + 0.01543 - 0.01107) = 0.111;
        # log(1.30 / 0.80) = 0.486 is 4.4 times that
        "survival on the other side of 1",
        effects.own_other_results,
        [(HR, 12, {"hr": "1.30", "ci_low": "1.02", "ci_high": "1.66"})],
        [],
        "medium",
        ["0.80 (95% 0.67 to 0.95)", "1.30 (95% 1.02 to 1.66)", "4.4 standard deviations"],
    ),
    (
        # The analysis is the same, so the time is, although one row does not state it.
        "survival on the other side of 1, one time not stated",
        effects.own_other_results,
        [
            (HR, 12, {"hr": "1.30", "ci_low": "1.02", "ci_high": "1.66",
                      "median_followup_months": ""}),
        ],
        [],
        "medium",
        ["0.80 (95% 0.67 to 0.95)", "1.30 (95% 1.02 to 1.66)", "4.4 standard deviations"],
    ),
    (
        # Odds ratios 42*82/(63*23) = 2.38 and 47*45/(58*60) = 0.61. Variances 0.0953 and 0.0774,
        # rho 0.7: sqrt(0.0953 + 0.0774 - 1.4 * 0.0859) = 0.229; 1.364 is 6.0 times that
        "two definitions",
        effects.own_other_results,
        [(PCR, 9, {"events": "60"})],
        [],
        "medium",
        ["odds ratio 2.38", "odds ratio 0.61", "6.0 standard deviations"],
    ),
    (
        "not verified",
        sources.unverified,
        [(PCR, 11, {"verification": "unverified"}), (PCR, 12, {"verification": "unverified"})],
        [],
        "low",
        ["2 counts (ypT0/is ypN0)", "rows 11 and 12"],
    ),
    (
        "seen at second hand",
        second_hand,
        [(PCR, 11, {"verification": "secondary"})],
        [],
        "low",
        ["1 count (ypT0/is ypN0) verified in a secondary source only (row 11)"],
    ),
    (
        "no place in the source",
        sources.without_locator,
        [(PCR, 11, {"locator": ""})],
        [],
        "low",
        ["without a place in the source (row 11)"],
    ),
]  # fmt: skip

LEFT_ALONE: list[tuple[str, Check, Edits, Added]] = [
    (
        "a note says why the levels do not add up",
        counts.levels_against_whole,
        [(PCR, 3, {"n": "54", "note": "one patient of unknown status"})],
        [],
    ),
    (
        "levels that add up to one of two reports on the whole arm",
        counts.levels_against_whole,
        [(PCR, 2, {"events": "40", "n": "100"})],
        [row_of(PCR, 2, source_id="doe_2020_trial_b")],  # 42 of 105
    ),
    (
        "one of the levels in two reports",
        counts.levels_against_whole,
        [],
        [row_of(PCR, 3, source_id="doe_2020_trial_b")],
    ),
    (
        # By years: the events grow. Their order by follow-up is not known.
        "more events in a later report without its follow-up",
        hazards.successive_analyses,
        [("sources", 2, {"year": "2022"}), (HR, 4, {"events_experimental": "40"})],
        [row_of(HR, 4, source_id="doe_2020_trial_a", median_followup_months="",
                events_experimental="45")],
    ),
    (
        "levels in another population than the whole",
        counts.levels_against_whole,
        [(PCR, n, {"events": "16", "n": "56", "population": "evaluable"}) for n in (3, 4)],
        [],
    ),
    (
        "one level with more responses by another definition",
        counts.level_sizes,
        [],
        [row_of(PCR, 3, definition="ypT0/is", events="20", reported_percent="")],
    ),
    (
        "the trial enrolled one level only",
        counts.missing_levels,
        [(PCR, 4, {"status": "superseded"})],
        [
            (
                "populations",
                {"trial_id": "trial_a", "subgroup": "hormone_receptor=positive", "basis": "all"},
            )
        ],
    ),
    (
        "an earlier report without its follow-up",
        sources.later_without_follow_up,
        [("sources", 2, {"year": "2018"})],
        [row_of(HR, 4, source_id="doe_2020_trial_a", median_followup_months="")],
    ),
    (
        "a report of the same year without its follow-up",
        sources.later_without_follow_up,
        [],
        [row_of(HR, 4, source_id="doe_2020_trial_a", median_followup_months="")],
    ),
    (
        "a percentage without decimals that the count gives",
        counts.percent_against_counts,
        [(PCR, 8, {"reported_percent": "45"})],
        [],
    ),
    (
        # 0.85 to the power of 0.67 is 89.7%, 4.4 percentage points below 94.1%.
        "a rate a little beyond what the hazard ratio allows",
        times.rates_against_ratio,
        [(RATES, 3, {"percent": "85.0"} | NO_LIMITS)],
        [],
    ),
    (
        # 0 to the power of any hazard ratio is 0.
        "a rate from which nothing follows",
        times.rates_against_ratio,
        [(RATES, 3, {"percent": "0"} | NO_LIMITS)],
        [],
    ),
    (
        "one level with two numbers of patients by one definition",
        counts.level_sizes,
        [],
        [row_of(PCR, 3, n="50", assessor="central", reported_percent="")],
    ),
    (
        "as many patients with a severe event as with any",
        severe_above_any,
        [(HARMS, 4, SEVERE | {"events": "50"})],
        [],
    ),
    (
        "as many responses by both definitions",
        counts.stricter_definitions,
        [(PCR, 2, {"events": "47"})],
        [],
    ),
    (
        "not called intention-to-treat",
        counts.itt_without_all,
        [("arms", 5, {"n_randomised": "111"}), (PCR, 12, {"population": "evaluable"})],
        [],
    ),
    (
        # se 0.2916 and 0.2414; log(0.95 / 0.78) = 0.197 is 1.2 times 0.164
        "a change that the added events allow",
        hazards.successive_analyses,
        [(HR, 4, {"hr": "0.95", "ci_low": "0.59", "ci_high": "1.52"})],
        [],
    ),
    (
        "two assessors are not two analyses",
        hazards.successive_analyses,
        [(HR, 4, {"hr": "1.40", "ci_low": "0.87", "ci_high": "2.24", "assessor": "BICR"})],
        [],
    ),
    (
        # 380 events instead of 492: sqrt(1/170 + 1/210) = 0.1032 is 1.16 times 0.0891, but 190 and
        # 240 give 0.0971, 1.09 times that and 1.06 times its largest value after rounding, 0.0914
        "events that agree within the tolerance",
        hazards.events_against_interval,
        [(HR, 9, {"events_experimental": "190", "events_control": "240"})],
        [],
    ),
    (
        "medians on the side of the hazard ratio",
        hazards.medians_against_ratio,
        [(HR, 18, {"median_experimental_months": "45", "median_control_months": "40"})],
        [],
    ),
    (
        "medians that are the same",
        hazards.medians_against_ratio,
        [(HR, 18, {"median_experimental_months": "40", "median_control_months": "40"})],
        [],
    ),
    (
        "a median of an arm without a rate",
        times.medians_against_rates,
        [(MEDIANS, 3, {"endpoint": "OS"})],
        [],
    ),
    (
        "p value within rounding",
        hazards.p_value_against_interval,
        [(HR, 3, {"p_value": "0.06"})],
        [],
    ),
    (
        "p value below a bound that the interval keeps",
        hazards.p_value_against_interval,
        [(HR, 3, {"p_value": "<0.1"})],
        [],
    ),
    (
        "another follow-up is another result",
        sources.conflicts,
        [],
        [
            row_of(
                HR, 9, hr="0.81", source_id="doe_2020_trial_g", median_followup_months="90"
            )
        ],
    ),
    (
        "one source that prints two ratios",
        sources.conflicts,
        [],
        [row_of(HR, 9, hr="0.81", assessor="not reported")],
    ),
    (
        # Trial C: its other experimental arm against the same control
        "two sources on two arms of a trial",
        sources.conflicts,
        [(HR, 6, {"source_id": "doe_2020_trial_a"})],
        [],
    ),
    (
        "two sources that agree",
        sources.conflicts,
        [],
        [row_of(PCR, 2, source_id="doe_2020_trial_b")],
    ),
    (
        "counts of the year in which enrolment ended",
        sources.too_early,
        [("sources", 6, {"year": "2012"})],
        [],
    ),
    (
        "hazard ratio a year early",
        sources.too_early,
        [("sources", 8, {"year": "2016"})],
        [],
    ),
    (
        "survival gains less, on the same side",
        effects.own_other_results,
        [(HR, 12, {"hr": "0.99", "ci_low": "0.83", "ci_high": "1.18"})],
        [],
    ),
    (
        # In both trials the definitions agree (odds ratios 2.38 and 2.07; 2.10 and 1.58), but trial
        # B's arm against trial A's would be 1.08 and 0.08.
        "definitions of two trials",
        effects.own_other_results,
        [],
        [
            row_of(PCR, 11, definition="ypT0/is", events="200", reported_percent=""),
            row_of(PCR, 12, definition="ypT0/is", events="95", reported_percent=""),
        ],
    ),
    (
        "survival on the other side of 1, at another time",
        effects.own_other_results,
        [
            (HR, 12, {"hr": "1.30", "ci_low": "1.02", "ci_high": "1.66",
                      "median_followup_months": "24"}),
        ],
        [],
    ),
    (
        "a source without a named author is second hand itself",
        second_hand,
        [(PCR, 11, {"verification": "secondary"}), ("sources", 3, {"first_author": ""})],
        [],
    ),
    (
        "a rate that stays",
        times.rising_rates,
        [(RATES, 4, {"percent": "94.1"} | NO_LIMITS)],
        [],
    ),
    (
        "more alive than free of an event before",
        times.rising_rates,
        [(RATES, 6, {"months": "72"})],  # OS 94.0%, after iDFS 89.0% at 60 months
        [],
    ),
    (
        "as many alive as free of an event",
        survival_below,
        [(RATES, 7, {"percent": "86.4"})],
        [],
    ),
    (
        "one half at the median",
        times.medians_against_rates,
        [(MEDIANS, 3, {"median_months": "12"}), (RATES, 9, {"percent": "50.1"})],
        [],
    ),
    (
        "patients of a subgroup who outlive the median of the arm",
        times.medians_against_rates,
        [],
        [row_of(RATES, 9, months="24", percent="60", subgroup="hormone_receptor=positive")],
    ),
    (
        "a printed hazard ratio near its curve",
        times.printed_against_curve,
        [("curves_cox", 2, {"hr": "0.70"})],  # 0.80 / 0.70 = 1.14
        [],
    ),
    (
        "hazards that may be proportional",
        times.hazards_not_proportional,
        [("curves_cox", 2, {"ph_p": "0.05"})],
        [],
    ),
    (
        "a harm by one definition in other words for another harm",
        times.unpaired_counts,
        [("harms", row, {"definition": "loose stools"}) for row in (2, 3)],
        [],
    ),
    (
        "a harm in a cohort of one arm",
        times.unpaired_counts,
        [],
        [row_of(HARMS, 4, trial_id="cohort_e", arm_id="cohort_e_dual", n="64", reported_percent="",
                source_id="doe_2020_cohort_e")],
    ),
    (
        "a row that somebody has seen at second hand is verified",
        sources.unverified,
        [(PCR, 11, {"verification": "secondary"})],
        [],
    ),
    (
        "a row that nobody has seen needs no place",
        sources.without_locator,
        [(PCR, 11, {"locator": "", "verification": "unverified"})],
        [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "check", "edits", "added", "severity", "words"),
    [pytest.param(*case, id=case[0]) for case in FOUND],
)
def test_it_is_found(
    name: str, check: Check, edits: Edits, added: Added, severity: str, words: list[str]
) -> None:
    (finding,) = found_by(check, sheet_with(edits, added))
    assert finding.severity == severity
    assert [word for word in words if word not in finding.figures] == []
    said = (finding.table, finding.rows, finding.columns, finding.figures)
    assert said == EXPECTED[name]


@pytest.mark.parametrize(
    ("check", "edits", "added"), [pytest.param(*case[1:], id=case[0]) for case in LEFT_ALONE]
)
def test_it_is_left_alone(check: Check, edits: Edits, added: Added) -> None:
    assert found_by(check, sheet_with(edits, added)) == []


def test_every_check_has_a_fault_and_a_sound_neighbour() -> None:
    others = {effects.own_other_results, second_hand, survival_below, severe_above_any}
    checks = {*SHEET_CHECKS, *others}
    assert {case[1] for case in FOUND} == checks
    assert {case[1] for case in LEFT_ALONE} == checks


def test_levels_of_two_outcomes_do_not_complete_each_other() -> None:
    moved = (HR, 11, {"endpoint": "OS", "assessor": "not applicable"})
    found = found_by(counts.missing_levels, sheet_with([moved]))
    assert [finding.rows for finding in found] == [(10,), (11,)]


@pytest.mark.parametrize(
    ("strict", "wide", "implied"),
    [
        ("ypT0/is ypN0", "ypT0/is", True),
        ("ypT0 ypN0", "ypT0/is ypN0", True),
        ("ypT0 ypN0", "ypT0/is", True),
        ("ypT0/is", "ypT0/is ypN0", False),
        ("ypT0/is ypN0", "ypT0 ypN0", False),
        ("ypT0/is", "ypT0/is", False),
        ("CR", "CR/PR", True),
    ],
)
def test_a_stricter_definition_implies_the_wider_one(strict: str, wide: str, implied: bool) -> None:
    assert counts.implies(strict, wide) is implied


def test_a_pooled_row_seen_at_second_hand_weighs_more() -> None:
    sheet = sheet_with([(PCR, 11, {"verification": "secondary"})])
    (finding,) = sources.second_hand(sheet, {(PCR, 11)})
    assert (finding.severity, finding.look_at) == ("medium", "doe_2020_trial_b")
    # A row of another table with the same number is another row.
    (finding,) = sources.second_hand(sheet, {(HARMS, 11)})
    assert (finding.severity, "pooled" in finding.figures) == ("low", False)


def test_the_nearest_of_several_printed_ratios_is_held_against_the_curve() -> None:
    # 0.90 / 0.69 = 1.30 and 0.80 / 0.69 = 1.16
    edits = [(HR, 9, {"hr": "0.90"}), ("curves_cox", 2, {"hr": "0.69"})]
    sheet = sheet_with(edits, [row_of(HR, 9, source_id="doe_2020_trial_g")])
    (finding,) = found_by(times.printed_against_curve, sheet)
    assert finding.rows == (32,)


@pytest.mark.parametrize(
    ("percent", "n", "decimals", "integers"),
    [
        (46.8, 145, 1, []),  # 67 is 46.21%, 68 is 46.90%
        (67.0, 212, 0, [141, 142, 143]),  # 66.5% is 140.98, 67.5% is 143.1
        (0.0, 10, 1, [0]),
        (100.0, 10, 0, [10]),
        (12.5, 8, 1, [1]),
    ],
)
def test_integers_for_percent(percent: float, n: float, decimals: int, integers: list[int]) -> None:
    assert counts.integers_for_percent(percent, n, decimals) == integers


def test_deleted_residuals_are_those_of_metafor() -> None:
    # metafor 3.8-1: d <- escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
    # d <- d[1:6,]
    # rstudent(rma(yi, vi, data=d, method="REML", control=list(threshold=1e-12, maxiter=1000)))$z
    yi = np.array(
        [-0.889311333920, -1.585388657201, -1.348073148300, -1.441551190021, -0.217547322211,
         -0.786115585819]
    )  # fmt: skip
    vi = np.array(
        [0.32558476500396, 0.19458112139814, 0.41536796536797, 0.02001003190225, 0.05121017216963,
         0.00690561845591]
    )  # fmt: skip
    expected = [
        0.142620887173, -0.995717985839, -0.459120062010, -1.194868588699, 2.094881936511,
        0.433017451332,
    ]  # fmt: skip
    found = influence(yi, vi).rstudent
    # REML by two optimisers: tau2 to 1e-5 relative.
    assert found == pytest.approx(expected, rel=1e-5)


def _pool(effect: float, k: int) -> pd.DataFrame:
    trials = [{"yi": 0.0, "rows": "11;12"}] * (k - 1) + [{"yi": effect, "rows": "2;5"}]
    constant = {
        "setting": "neoadjuvant", "analysis": "pcr", "table": "pcr", "measure": "risk_ratio",
        "subgroup": "all", "pooled": "yes", "vi": 0.04,
    }  # fmt: skip
    return pd.DataFrame([{**constant, **trial} for trial in trials])


def test_a_trial_far_from_its_pool_is_found() -> None:
    # The other three agree: tau2 is 0, their mean 0 with variance 0.04 / 3.
    # 0.6 / sqrt(0.04 + 0.04 / 3) = 2.598; exp(0.6) = 1.82, exp(-0.6) = 0.55
    for effect, ratio, residual in ((0.6, "1.82", "2.6"), (-0.6, "0.55", "-2.6")):
        (finding,) = effects.far_from_pool(valid_sheet(), _pool(effect, 4))
        assert finding.rows == (2, 5)
        assert f"risk ratio {ratio}; the other 3 trials pooled give 1.00" in finding.figures
        assert f"residual {residual}" in finding.figures


@pytest.mark.parametrize(("effect", "k"), [(0.55, 4), (0.9, 3)])
def test_a_trial_near_its_pool_or_in_a_small_one_is_left_alone(effect: float, k: int) -> None:
    # 0.55 / 0.2309 = 2.38
    assert list(effects.far_from_pool(valid_sheet(), _pool(effect, k))) == []


@pytest.mark.parametrize("others", [{"measure": "odds_ratio"}, {"subgroup": "receptor=negative"}])
def test_a_trial_is_held_against_its_pool_by_one_measure_of_all_patients(
    others: dict[str, str],
) -> None:
    """Two results of each of three trials do not make a pool of six, with one outlier."""
    pool = pd.concat([_pool(0.9, 3), _pool(0.0, 3).assign(**others)])
    assert list(effects.far_from_pool(valid_sheet(), pool)) == []
