"""Figures: plain descriptions in, pages in millimetres out; nothing here knows what was pooled."""
