"""Effects of an edit of the sheet or configuration: rows, analyses, estimates, conclusions."""
