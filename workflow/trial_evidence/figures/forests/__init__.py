"""Forest plots, where text and plot must meet."""
