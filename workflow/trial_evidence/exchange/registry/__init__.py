"""Comparison of trial registry records with the sheet, as a workbook to confirm."""
