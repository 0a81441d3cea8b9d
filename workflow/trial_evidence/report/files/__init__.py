"""The report as files: Word, Excel, references, provenance, figures of another style.

They render what tables and material hold.
"""
