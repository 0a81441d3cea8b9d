"""What single trials say: synergy where both agents were given alone and together, surrogacy.

No network is fitted here.
"""
