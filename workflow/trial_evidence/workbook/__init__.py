"""The sheet as a workbook: written for analysts, read back, and imported in full or not at all."""
