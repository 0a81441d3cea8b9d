"""The report as files: Word, Excel, references, provenance, figures of another style.

They render the tables and the material.
"""
