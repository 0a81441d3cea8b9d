"""Errors that the user can correct; the message says how."""


class RequestError(LookupError):
    """The requested item does not exist; the message lists those that do."""
