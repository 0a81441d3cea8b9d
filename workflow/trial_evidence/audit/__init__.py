"""The audit: entries of a valid sheet to check in the sources, and agreement of two readers."""
