"""What each part of a combination contributes, and whether parts interact.

Linear models of a network's contrasts; analyses of single trials are in within_trials.
"""
