"""The report as one page.

What the templates of workflow/report need; headings, sentences and columns are theirs.
"""
