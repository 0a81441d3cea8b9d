"""Columns of the tables that the extract stage writes; a light module that any stage can import."""

USED_COLUMNS = [
    "setting", "analysis", "outcome", "measure", "subgroup", "trial_id", "trial", "year",
    "experimental_arm_id", "control_arm_id", "experimental_agents", "control_agents",
    "experimental", "control", "experimental_partner", "control_partner", "added_agents",
    "added", "kind", "changed_backbone",
    "events_experimental", "n_experimental", "events_control", "n_control",
    "hr", "ci_low", "ci_high", "ci_level", "published", "p_value", "yi", "vi", "se_source",
    "corrected", "pooled", "not_pooled_reason",
    "definition", "population", "endpoint", "analysis_cut", "median_followup_months", "assessor",
    "inverted", "verification", "derivation", "source_id", "locator", "rows",
    "readers_differ", "note",
]  # fmt: skip
USED_NUMBERS = [
    "year", "events_experimental", "n_experimental", "events_control", "n_control", "hr", "ci_low",
    "ci_high", "ci_level", "p_value", "yi", "vi", "median_followup_months",
]  # fmt: skip
RATE_NUMBERS = ["year", "events", "n", "rate", "rate_low", "rate_high", "yi", "vi"]
# Columns copied unchanged from the sheet into the evidence, for rows of counts and of contrasts.
OF_COUNTS = (
    "definition", "population", "assessor", "verification", "derivation", "source_id", "locator",
)  # fmt: skip
OF_CONTRASTS = (
    "hr", "ci_low", "ci_high", "ci_level", "p_value", "vi", "se_source", "endpoint",
    "median_followup_months", "assessor", "verification", "derivation", "source_id", "locator",
)  # fmt: skip
# Becomes the column `note` of the evidence; the sheet's own `note` is for the data extractors.
PUBLIC = "public_note"
SET_ASIDE_COLUMNS = [
    "setting", "analysis", "subgroup", "trial_id", "trial", "table", "row", "arms", "what",
    "verification", "source_id", "reason",
]  # fmt: skip
RATE_COLUMNS = [
    "setting", "analysis", "measure", "subgroup", "trial_id", "trial", "year", "regimen",
    "regimen_label", "agents", "schedule", "partner", "arm_ids", "events", "n", "rate",
    "rate_low", "rate_high", "yi", "vi", "corrected", "pooled", "not_pooled_reason", "definition",
    "population", "assessor", "randomised", "verification", "derivation", "source_id", "locator",
    "rows", "readers_differ", "note",
]  # fmt: skip
