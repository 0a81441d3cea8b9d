"""What other programs read: results and the rows behind them, for R, RevMan, CINeMA, as JSON."""
