"""What a network rests on: one report a trial, arms as nodes, contrasts with their covariance."""
