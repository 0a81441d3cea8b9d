"""Analyses that are not made, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """Stands in place of a result.

    Attributes
    ----------
    reason : str
        Why there is none, in words for the reader.
    """

    reason: str


def too_few(k: int, needed: int, what: str, why: str, *, forced: bool) -> Refused | None:
    """A refusal where there are fewer trials than an analysis can bear.

    Parameters
    ----------
    k, needed : int
        Trials there are, and trials needed.
    what : str
        The analysis, as the start of a sentence.
    why : str
        What goes wrong with fewer.
    forced : bool
        Make it all the same.
    """
    if forced or k >= needed:
        return None
    there = "there is 1" if k == 1 else f"there are {k}"
    return Refused(f"{what} needs at least {needed} trials, and {there}: {why}.")
