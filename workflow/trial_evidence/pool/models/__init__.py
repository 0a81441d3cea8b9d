"""Models of one set of trials, as the tables name them."""
