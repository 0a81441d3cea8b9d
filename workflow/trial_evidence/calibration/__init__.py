"""Calibration: how well intervals and estimators perform for sets of trials like the sheet's."""
