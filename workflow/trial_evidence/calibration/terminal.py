"""A progress bar for long work."""

from collections.abc import Callable
from typing import TextIO

_BAR = 30


def progress_bar(stream: TextIO) -> Callable[[int, int, str], None]:
    """A function that shows how much is done; call it after each part.

    Parameters
    ----------
    stream : TextIO
        A terminal gets one line that is written over; a file gets a line for each new label.

    Returns
    -------
    callable
        Takes the parts done, the parts there are, and what is being done.
    """
    shown = ""

    def show(done: int, total: int, label: str) -> None:
        nonlocal shown
        percent = f"{100 * done // total:3d}%"
        if stream.isatty():
            filled = _BAR * done // total
            end = "\n" if done == total else ""
            bar = "#" * filled + "." * (_BAR - filled)
            stream.write(f"\r\033[K[{bar}] {percent}  {label}{end}")
        elif label != shown:
            stream.write(f"{percent}  {label}\n")
        shown = label
        stream.flush()

    return show
