"""What config/ says, read and checked; its faults in words."""
