"""The sheet as a workbook: written for analysts, read back, and imported whole or not at all."""
