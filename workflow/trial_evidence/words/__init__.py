"""Names and numbers as they are printed, and faults in words; no drawing, no statistics."""
