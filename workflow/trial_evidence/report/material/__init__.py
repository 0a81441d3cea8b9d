"""What the report is made of, and one table of it."""
