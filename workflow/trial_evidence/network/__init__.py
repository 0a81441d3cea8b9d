"""Network meta-analysis: which treatments stand where, by direct and indirect evidence."""
