"""The configuration in config/: reading it, checking it, and reporting its errors.

One pydantic model per file. Nothing here reads the sheet or names an outcome, agent or setting.
"""
