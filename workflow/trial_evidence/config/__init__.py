"""What config/ says, read and checked; its faults in words.

One pydantic model a file. Nothing here reads the sheet, and no outcome, agent or setting is named.
"""
