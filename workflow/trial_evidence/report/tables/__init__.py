"""The tables of the report.

Each function is a query; columns, titles and notes are in workflow/report/tables.yaml.
"""
