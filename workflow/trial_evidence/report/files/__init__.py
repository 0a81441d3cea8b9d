"""The report as files: Word, Excel, references, provenance, figures of another style."""
