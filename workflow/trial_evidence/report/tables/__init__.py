"""The tables of the report.

Each a query; columns, titles and notes are in workflow/report/tables.yaml.
"""
