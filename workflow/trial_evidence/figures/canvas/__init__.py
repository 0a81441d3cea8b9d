"""Pages in millimetres: text, axes, shapes, styles.

Nothing here depends on what is drawn.
"""
