"""From the checked sheet to tidy evidence: regimens, contrasts, selected rows, effect sizes."""
