"""The audit: what in a valid sheet deserves a second look, and how far two readers agree."""
