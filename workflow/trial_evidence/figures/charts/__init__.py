"""Charts: a scale, points, curves; no columns of text."""
