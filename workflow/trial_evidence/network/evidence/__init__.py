"""What a network rests on: one report a trial, arms as nodes, contrasts with their covariance.

Selection is extract's; nothing is fitted here.
"""
