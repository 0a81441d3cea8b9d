"""What other programs read: results and the rows behind them, as R takes them."""
