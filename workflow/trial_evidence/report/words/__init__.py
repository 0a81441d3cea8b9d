"""How the report prints: numbers, estimates, columns, and the texts of workflow/report."""
