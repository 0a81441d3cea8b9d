"""The report as one page.

These modules supply the templates of workflow/report, which hold headings, sentences and columns.
"""
