"""Names and numbers as they are printed, and faults in words.

Everything that turns a number, a model or a fault into text lives here. Drawing and statistics
do not.
"""
