"""Do the intervals and estimators on offer hold, for sets of trials like those of the sheet?"""
