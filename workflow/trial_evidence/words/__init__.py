"""Names, numbers and error messages as they are printed.

Everything that turns a number, a model or a problem into text lives here; drawing and statistics
do not.
"""
