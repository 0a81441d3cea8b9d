"""What the report is made of, and how an estimate reads."""
