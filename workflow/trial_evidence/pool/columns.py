"""Columns of the tables that the pool stage writes; a light module that any stage can import."""

from trial_evidence.extract.columns import RATE_NUMBERS, USED_NUMBERS

ESTIMATE_NUMBERS = [
    "k", "participants", "events", "estimate", "ci_low", "ci_high", "ci_level", "pi_low",
    "pi_high", "p_value", "tau2", "tau2_low", "tau2_high", "i2", "q", "q_df", "q_p", "i2_from_q",
    "probability_of_benefit",
]  # fmt: skip
ESTIMATE_COLUMNS = [
    "setting", "analysis", "outcome", "measure", "experimental", "control", "subgroup", "model",
    *ESTIMATE_NUMBERS, "role", "trials", "remark",
]  # fmt: skip
ESTIMATE_COUNTS = ["k", "participants", "events", "q_df"]
# Columns added to the evidence: the own result of a trial, or of an arm's rate.
_OWN_RESULT = ["estimate", "estimate_low", "estimate_high", "estimate_level", "weight"]
TRIAL_NUMBERS = [*USED_NUMBERS, *_OWN_RESULT]
POOLED_RATE_NUMBERS = [*RATE_NUMBERS, *_OWN_RESULT]
