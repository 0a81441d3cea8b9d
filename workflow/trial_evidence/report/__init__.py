"""Tables and texts over all settings."""
