"""Pages in millimetres: text, axes, shapes, styles; nothing here knows what is drawn."""
