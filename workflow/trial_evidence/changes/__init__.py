"""What an edit of the sheet changes: rows, analyses, estimates, conclusions."""
