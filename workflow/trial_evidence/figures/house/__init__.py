"""What all charts share: theme, scales, words that find their place, and publishing.

No chart lives here.
"""
