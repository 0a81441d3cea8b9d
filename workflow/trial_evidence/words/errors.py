"""Errors that are the user's to mend, and say how."""


class RequestError(LookupError):
    """What was asked for does not exist; the message says what does."""
