"""What other programs read, as R takes it, and what comes from elsewhere, to be confirmed."""
