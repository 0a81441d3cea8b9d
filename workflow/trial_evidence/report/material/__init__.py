"""The inputs of the report, and the type of its tables.

Tables are declared in workflow/report/tables.yaml and filled in by report/tables.
"""
