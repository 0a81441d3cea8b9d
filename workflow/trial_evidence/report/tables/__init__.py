"""The tables of the report.

Each a query and a tuple of columns; how a cell is printed is said in material.
"""
