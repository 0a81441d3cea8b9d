"""Errors that the user can correct; the message says how."""

import re
import shutil
from pathlib import Path

_REASON = re.compile(r"\[Errno [0-9]+\] ([^:]+)")


class RequestError(LookupError):
    """The requested item does not exist; the message lists those that do."""


def not_written(error: OSError) -> str:
    """Say which file or folder cannot be read or written, and why."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        # One error for each file of a folder; the first is enough.
        what, _, why = error.args[0][0]
        found = _REASON.match(str(why))
        return f"{what} cannot be copied: {found[1] if found else why}."
    if error.errno is None:
        return str(error)
    reason = error.strerror or "unknown reason"
    what = "A file" if error.filename is None else error.filename
    if isinstance(error, PermissionError):
        reason += " (it may be open in another program, or you may not write there)"
    if isinstance(error, FileExistsError | NotADirectoryError):
        for path in (Path(str(what)), *Path(str(what)).parents):
            if path.is_file():
                what, reason = path, "it is a file, not a folder"
    return f"{what} cannot be read or written: {reason}."
