"""What the report is made of, and one table of it.

Tables are declared in workflow/report/tables.yaml and filled in tables.
"""
