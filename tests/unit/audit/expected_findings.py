"""Expected finding for each planted fault of test_audit_checks.py: location and sentence."""

# Name of the fault -> table, rows, columns, sentence.
EXPECTED = {
    "more patients in the levels than in the arm": (
        "pcr",
        (2, 3, 4),
        ("events", "n"),
        "trial_a_dual: the levels of hormone_receptor (rows 3 and 4) add up to 43 events in "
        "106 patients, but the whole arm (row 2) has 42 events in 105 patients. This is "
        "impossible if both describe the same patients.",
    ),
    "an event without a patient to have it": (
        "pcr",
        (2, 3, 4),
        ("events", "n"),
        "trial_a_dual: the levels of hormone_receptor (rows 3 and 4) add up to 41 events in "
        "105 patients, but the whole arm (row 2) has 42 events in 105 patients. This is "
        "impossible if both describe the same patients.",
    ),
    "a patient in none of the levels": (
        "pcr",
        (2, 3, 4),
        ("events", "n"),
        "trial_a_dual: the levels of hormone_receptor (rows 3 and 4) add up to 42 events in "
        "104 patients, but the whole arm (row 2) has 42 events in 105 patients: 1 patient in "
        "none of the levels, and no note says why.",
    ),
    "patients in none of the levels": (
        "pcr",
        (2, 3, 4),
        ("events", "n"),
        "trial_a_dual: the levels of hormone_receptor (rows 3 and 4) add up to 42 events in "
        "103 patients, but the whole arm (row 2) has 42 events in 105 patients: 2 patients in "
        "none of the levels, and no note says why.",
    ),
    "levels of a hazard ratio with too many events": (
        "hazard_ratios",
        (9, 10, 11),
        ("events_experimental", "n_experimental"),
        "trial_f_dual v trial_f_single, experimental arm: the levels of hormone_receptor "
        "(rows 10 and 11) add up to 225 events in 2000 patients, but the whole arm (row 9) "
        "has 220 events in 2000 patients. This is impossible if both describe the same "
        "patients.",
    ),
    "levels of a hazard ratio with too many events in the control arm": (
        "hazard_ratios",
        (9, 10, 11),
        ("events_control", "n_control"),
        "trial_f_dual v trial_f_single, control arm: the levels of hormone_receptor (rows 10 "
        "and 11) add up to 275 events in 2000 patients, but the whole arm (row 9) has 272 "
        "events in 2000 patients. This is impossible if both describe the same patients.",
    ),
    "one level only": (
        "pcr",
        (3,),
        ("subgroup",),
        "of the levels of hormone_receptor, only positive is in the sheet (trial_a_dual; row "
        "3): the other level is not reported, or was left out.",
    ),
    "a percentage that no count gives": (
        "pcr",
        (8,),
        ("events", "n", "reported_percent"),
        "trial_a_dual, ypT0/is: 45.9% is printed, but 47 of 105 is 44.762%. No number of "
        "105 patients gives it (48 gives 45.71%, 49 gives 46.67%).",
    ),
    "a percentage that another count gives": (
        "pcr",
        (8,),
        ("events", "n", "reported_percent"),
        "trial_a_dual, ypT0/is: 45.7% is printed, but 47 of 105 is 44.762%. 48 of 105 "
        "would give it.",
    ),
    "a percentage that was cut off": (
        "pcr",
        (8,),
        ("events", "n", "reported_percent"),
        "trial_a_dual, ypT0/is: 44.7% is printed, but 47 of 105 is 44.762%. No number of 105 "
        "patients gives it (46 gives 43.81%, 47 gives 44.76%); 46 of 103 would. It fits if "
        "the last digit was truncated instead of rounded.",
    ),
    "counts among several that the percentage gives": (
        "pcr",
        (11,),
        ("events", "n", "reported_percent"),
        "trial_b_dual, 38% of 220: 83 and 84 would give it; 84 is in the sheet.",
    ),
    "more responses by the stricter definition": (
        "pcr",
        (2, 8),
        ("events", "n"),
        "trial_a_dual, all: 48 of 105 by ypT0/is ypN0 (row 2), but 47 of 105 by ypT0/is "
        "(row 8), which is the wider definition.",
    ),
    "intention-to-treat without all patients": (
        "pcr",
        (12,),
        ("n", "population"),
        "trial_b_single, ypT0/is ypN0: the analysis is called intention-to-treat but has 110 "
        "patients; 111 were randomised.",
    ),
    "events fall": (
        "hazard_ratios",
        (4, 5),
        ("events_experimental",),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 40 events in the"
        " experimental arm, previously 50.",
    ),
    "events fall from an interim analysis to the primary one": (
        "hazard_ratios",
        (4, 5),
        ("events_experimental",),
        "trial_c_dual v trial_c_t, EFS, primary (row 4) after interim (row 5): 40 events in the"
        " experimental arm, previously 50.",
    ),
    "events fall in the control arm": (
        "hazard_ratios",
        (4, 5),
        ("events_control",),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 40 events in the"
        " control arm, previously 50.",
    ),
    "follow-up shrinks": (
        "hazard_ratios",
        (4, 5),
        ("median_followup_months",),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 30 months of "
        "median follow-up, previously 36.",
    ),
    "follow-up stays": (
        "hazard_ratios",
        (4, 5),
        ("median_followup_months",),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 36 months of "
        "median follow-up, previously 36.",
    ),
    "hazard ratio jumps": (
        "hazard_ratios",
        (4, 5),
        ("hr", "ci_low", "ci_high", "ci_level"),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 1.40 (95% 0.87 "
        "to 2.24), previously 0.78 (95% 0.44 to 1.38): the log hazard ratio changed by 0.58, "
        "at least 3.3 times the standard deviation that the added events allow.",
    ),
    "interval gets wider": (
        "hazard_ratios",
        (4, 5),
        ("hr", "ci_low", "ci_high", "ci_level"),
        "trial_c_dual v trial_c_t, EFS, final (row 4) after primary (row 5): 0.80 (95% 0.40 "
        "to 1.60), previously 0.78 (95% 0.44 to 1.38): the standard error grew from 0.292 to "
        "0.354 although the analysis is later.",
    ),
    "level of the interval": (
        "hazard_ratios",
        (9,),
        ("hr", "ci_low", "ci_high", "ci_level", "events_experimental", "events_control"),
        "trial_f_dual v trial_f_single, iDFS, final analysis, investigator, 72 months: 0.80 "
        "(97.5% 0.67 to 0.95) has a standard error of 0.078, but 220 and 272 events give "
        "0.090. The events fit if the interval is a 95% interval.",
    ),
    "fewer events than the interval needs, arms of unknown size": (
        "hazard_ratios",
        (9,),
        ("hr", "ci_low", "ci_high", "ci_level", "events_experimental", "events_control"),
        "trial_f_dual v trial_f_single, iDFS, final analysis, investigator, 72 months: 0.80 "
        "(95% 0.67 to 0.95) has a standard error of 0.089, but 60 and 120 events give 0.154.",
    ),
    "more events needed than patients": (
        "hazard_ratios",
        (30,),
        ("hr", "ci_low", "ci_high", "ci_level", "n_experimental", "n_control"),
        "trial_n_dual v trial_n_single, PFS, final analysis, investigator: 0.74 (95% "
        "0.70 to 0.78) needs at least 4145 events, but only 290 patients were analysed.",
    ),
    "more events needed than patients randomised, of one arm not known how many analysed": (
        "hazard_ratios",
        (30,),
        ("hr", "ci_low", "ci_high", "ci_level", "n_experimental", "n_control"),
        "trial_n_dual v trial_n_single, PFS, final analysis, investigator: 0.74 (95% "
        "0.70 to 0.78) needs at least 4145 events, but only 290 patients were randomised.",
    ),
    "medians on the other side, clear interval": (
        "hazard_ratios",
        (17,),
        ("hr", "median_experimental_months", "median_control_months"),
        "trial_i_dual v trial_i_single, PFS, primary analysis, investigator, 20 months: "
        "0.66 (95% 0.46 to 0.94) favours the experimental arm, but the medians are 12.4 "
        "(experimental) and 18.5 (control) months.",
    ),
    "medians on the other side, unclear interval": (
        "hazard_ratios",
        (18,),
        ("hr", "median_experimental_months", "median_control_months"),
        "trial_i_dual v trial_i_single, OS, final analysis, 50 months: 0.72 (95% 0.49 to "
        "1.07) favours the experimental arm, but the medians are 40 (experimental) and "
        "45 (control) months.",
    ),
    "medians that favour the experimental arm, hazard ratio the control arm": (
        "hazard_ratios",
        (18,),
        ("hr", "median_experimental_months", "median_control_months"),
        "trial_i_dual v trial_i_single, OS, final analysis, 50 months: 1.39 (95% 0.93 to "
        "2.04) favours the control arm, but the medians are 45 (experimental) and 40 "
        "(control) months.",
    ),
    "p value of the other sidedness": (
        "hazard_ratios",
        (3,),
        ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_sided"),
        "trial_b_dual v trial_b_single, EFS, final analysis, investigator, 60 months: p "
        "= 0.033 (two-sided) is printed, but 0.62 (95% 0.37 to 1.03) gives 0.058 to "
        "0.077. It would fit as one-sided or if the interval is a 97.5% interval.",
    ),
    "p value on the other side of the one-sided level": (
        "hazard_ratios",
        (30,),
        ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_sided"),
        "trial_n_dual v trial_n_single, PFS, final analysis, investigator: p = 0.030 (one-sided) "
        "is printed, but 0.74 (95% 0.58 to 0.94) gives 0.005 to 0.01.",
    ),
    "p value too large": (
        "hazard_ratios",
        (3,),
        ("hr", "ci_low", "ci_high", "ci_level", "p_value", "p_sided"),
        "trial_b_dual v trial_b_single, EFS, final analysis, investigator, 60 months: p "
        "= 0.20 (two-sided) is printed, but 0.62 (95% 0.37 to 1.03) gives 0.058 to "
        "0.077.",
    ),
    "two sources, counts": (
        "pcr",
        (2, 27),
        ("events", "n"),
        "trial_a_dual, ypT0/is ypN0, ITT: 42 of 105 in doe_2020_trial_a (row 2, primary) "
        "and 40 of 105 in doe_2020_trial_b (row 27, primary).",
    ),
    "two sources, hazard ratios": (
        "hazard_ratios",
        (9, 32),
        ("hr", "ci_low", "ci_high"),
        "trial_f_dual v trial_f_single, iDFS, final analysis: 0.80 (95% 0.67 to 0.95) in "
        "doe_2020_trial_f (row 9, primary) and 0.81 (95% 0.67 to 0.97) in "
        "doe_2020_trial_g (row 32, primary).",
    ),
    "two sources of one year, one of them without a time": (
        "hazard_ratios",
        (9, 32),
        ("hr", "ci_low", "ci_high"),
        "trial_f_dual v trial_f_single, iDFS, final analysis: 0.80 (95% 0.67 to 0.95) in "
        "doe_2020_trial_f (row 9, primary) and 0.81 (95% 0.67 to 0.95) in "
        "doe_2020_trial_g (row 32, primary).",
    ),
    "two sources of two years, one of them without a time": (
        "hazard_ratios",
        (9, 32),
        ("hr", "ci_low", "ci_high"),
        "trial_f_dual v trial_f_single, iDFS, final analysis: 0.80 (95% 0.67 to 0.95) in "
        "doe_2020_trial_f (row 9, primary) and 0.81 (95% 0.67 to 0.95) in "
        "doe_2020_trial_g (row 32, primary).",
    ),
    "two sources, one of them without the assessor": (
        "hazard_ratios",
        (9, 32),
        ("hr", "ci_low", "ci_high"),
        "trial_f_dual v trial_f_single, iDFS, final analysis: 0.80 (95% 0.67 to 0.95) in "
        "doe_2020_trial_f (row 9, primary) and 0.81 (95% 0.67 to 0.95) in "
        "doe_2020_trial_g (row 32, primary).",
    ),
    "two sources, read off a curve": (
        "hazard_ratios",
        (9, 32),
        ("hr", "ci_low", "ci_high"),
        "trial_f_dual v trial_f_single, iDFS, final analysis: 0.80 (95% 0.67 to 0.95) in "
        "doe_2020_trial_f (row 9, primary) and 0.81 (95% 0.67 to 0.95) in "
        "doe_2020_trial_g (row 32, primary).",
    ),
    "counts before enrolment ended in 2012": (
        "pcr",
        (24,),
        ("source_id",),
        "doe_2020_cohort_e was published in 2011, but patients were enrolled from 2010 to "
        "2012 (row 24).",
    ),
    "hazard ratio before the follow-up": (
        "hazard_ratios",
        (9, 10, 11, 12),
        ("source_id", "median_followup_months"),
        "doe_2020_trial_f was published in 2015, but patients were enrolled from 2010 to 2012 "
        "and the median follow-up is given as 72 months (rows 9, 10, 11 and 12).",
    ),
    "hazard ratio before the follow-up, start of enrolment unknown": (
        "hazard_ratios",
        (9, 10, 11, 12),
        ("source_id", "median_followup_months"),
        "doe_2020_trial_f was published in 2016, but patients were enrolled until 2012 and the "
        "median follow-up is given as 72 months (rows 9, 10, 11 and 12).",
    ),
    "two assessors": (
        "hazard_ratios",
        (15, 19),
        ("hr", "ci_low", "ci_high", "ci_level"),
        "trial_h_dual v trial_h_single: 0.62 (95% 0.51 to 0.75) (PFS, primary analysis, "
        "BICR, 20 months; row 15), but 1.00 (95% 0.83 to 1.20) (PFS, primary analysis, "
        "investigator, 20 months; row 19); 7.8 standard deviations apart.",
    ),
    "survival on the other side of 1": (
        "hazard_ratios",
        (9, 12),
        ("hr", "ci_low", "ci_high", "ci_level"),
        "trial_f_dual v trial_f_single: 0.80 (95% 0.67 to 0.95) (iDFS, final analysis, "
        "investigator, 72 months; row 9), but 1.30 (95% 1.02 to 1.66) (OS, final "
        "analysis, 72 months; row 12); 4.4 standard deviations apart.",
    ),
    "survival on the other side of 1, one time not stated": (
        "hazard_ratios",
        (9, 12),
        ("hr", "ci_low", "ci_high", "ci_level"),
        "trial_f_dual v trial_f_single: 0.80 (95% 0.67 to 0.95) (iDFS, final analysis, "
        "investigator, 72 months; row 9), but 1.30 (95% 1.02 to 1.66) (OS, final "
        "analysis; row 12); 4.4 standard deviations apart.",
    ),
    "two definitions": (
        "pcr",
        (2, 5, 8, 9),
        ("events", "n"),
        "trial_a_dual v trial_a_single: 42 of 105 against 23 of 105 by ypT0/is ypN0 "
        "(odds ratio 2.38) but 47 of 105 against 60 of 105 by ypT0/is (odds ratio 0.61); "
        "6.0 standard deviations apart.",
    ),
    "not verified": (
        "pcr",
        (11, 12),
        ("verification",),
        "2 counts (ypT0/is ypN0) not yet verified in any source (rows 11 and 12).",
    ),
    "seen at second hand": (
        "pcr",
        (11,),
        ("verification",),
        "1 count (ypT0/is ypN0) verified in a secondary source only (row 11), but "
        "sources.csv names first-hand sources.",
    ),
    "no place in the source": (
        "pcr",
        (11,),
        ("locator",),
        "1 count (ypT0/is ypN0) without a place in the source (row 11).",
    ),
    "a rate that rises": (
        "milestones",
        (2, 4),
        ("months", "percent"),
        "trial_f_dual, iDFS: 94.1% at 36 months (doe_2020_trial_f, row 2), but 94.6% at 60 months"
        " (doe_2020_trial_f, row 4).",
    ),
    "a rate that rises in a later report": (
        "milestones",
        (2, 4),
        ("months", "percent"),
        "trial_f_dual, iDFS: 94.1% at 36 months (doe_2020_trial_f, row 2), but 94.6% at 60 months"
        " (doe_2020_trial_g, row 4).",
    ),
    "one level with two numbers of patients": (
        "pcr",
        (3, 27),
        ("n",),
        "trial_a_dual, hormone_receptor=positive, patients by definition: ypT0/is ypN0 55 (row 3); "
        "ypT0/is 50 (row 27).",
    ),
    "a later report without its follow-up": (
        "hazard_ratios",
        (4, 32),
        ("median_followup_months",),
        "trial_c_dual v trial_c_t, EFS: 0.80 (95% 0.50 to 1.28) was published in 2022 (row 32), "
        "but its follow-up is not in the sheet, so 0.80 (95% 0.50 to 1.28) of 2020, at 60 months "
        "(row 4), comes before it.",
    ),
    "a rate of the patients with an event": (
        "milestones",
        (2, 3),
        ("months", "percent"),
        "trial_f_dual v trial_f_single, iDFS, final analysis, investigator, 72 months: 0.80 (95% "
        "0.67 to 0.95) (row 9 of hazard_ratios.csv), but trial_f_dual 94.1% at 36 months "
        "(doe_2020_trial_f, row 2), and trial_f_single 7.4% at 36 months (doe_2020_trial_f, row "
        "3).",
    ),
    "more patients with a severe event than with any": (
        "harms",
        (2, 4),
        ("events", "n"),
        "trial_a_dual: 51 of 107 had diarrhoea grade 3 or higher (row 4), but only 50 of 107 "
        "diarrhoea any (row 2), which includes it.",
    ),
    "more events needed than patients randomised": (
        "hazard_ratios",
        (30,),
        ("hr", "ci_low", "ci_high", "ci_level", "n_experimental", "n_control"),
        "trial_n_dual v trial_n_single, PFS, final analysis, investigator: 0.74 (95% "
        "0.70 to 0.78) needs at least 4145 events, but only 290 patients were randomised.",
    ),
    "fewer alive than free of an event": (
        "milestones",
        (5, 7),
        ("months", "percent"),
        "trial_f_single: OS 86% at 60 months (doe_2020_trial_f, row 7), but iDFS 86.4% at 60 "
        "months (doe_2020_trial_f, row 5), and that counts deaths as well.",
    ),
    "more than half after the median": (
        "milestones",
        (9,),
        ("months", "percent"),
        "trial_h_single, PFS: the median is 11 months (doe_2020_trial_h, row 3 of medians.csv), "
        "but 52% at 12 months (doe_2020_trial_h, row 9).",
    ),
    "less than half before the median": (
        "milestones",
        (9,),
        ("months", "percent"),
        "trial_h_single, PFS: the median is 12.4 months (doe_2020_trial_h, row 3 of medians.csv),"
        " but 48% at 12 months (doe_2020_trial_h, row 9).",
    ),
    "a printed hazard ratio far from its curve": (
        "hazard_ratios",
        (9,),
        ("hr",),
        "trial_f_dual v trial_f_single, iDFS, final analysis, investigator, 72 months: 0.80 (95% "
        "0.67 to 0.95) is printed; the digitised curve (Figure 2) gives 0.69 (0.66 to 0.94).",
    ),
    "hazards that are not proportional": (
        "hazard_ratios",
        (9,),
        ("hr",),
        "trial_f_dual v trial_f_single, iDFS: the digitised curves (Figure 2) violate "
        "proportional hazards (p = 0.003): the hazard ratio is an average over the follow-up.",
    ),
    "a harm by two definitions": (
        "harms",
        (2, 3),
        ("definition", "source_id"),
        "diarrhoea any of trial_a_dual and trial_a_single: no other arm by the same definition "
        "from the same source, so it is not compared.",
    ),
}
