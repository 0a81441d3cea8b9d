"""Records of a trial registry, set against the sheet, as a workbook to confirm."""
