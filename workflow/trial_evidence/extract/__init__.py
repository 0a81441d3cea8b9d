"""From the checked sheet to tidy evidence: regimens, contrasts, row selection, effect sizes."""
