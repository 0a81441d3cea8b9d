"""Wording of the report: numbers, estimates, columns, and the texts of workflow/report."""
