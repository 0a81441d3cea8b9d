"""What each part of a combination contributes, and whether parts interact.

Linear models of a network's contrasts; what single trials say lives in within_trials.
"""
