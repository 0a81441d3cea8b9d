"""Pages in millimetres: text, axes, shapes, styles.

Nothing here knows what is drawn.
"""
