"""What the report is made of, and how an estimate reads.

Tables are declared as columns here and filled in tables.
"""
