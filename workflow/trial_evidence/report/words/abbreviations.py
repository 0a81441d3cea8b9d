"""Explanations of the abbreviations in a table, which must be readable on its own."""

import re
from collections.abc import Iterable, Mapping

from trial_evidence.measures import MEASURES

# Recognised only before a number: alone, the same letters may be something else (a genotype).
_BEFORE_NUMBERS = {
    "CI": "confidence interval",
    "CrI": "Bayesian credible interval",
    **{found.short: found.title.lower() for found in MEASURES.values() if found.compares},
}


def abbreviations(texts: Iterable[str], known: Mapping[str, str]) -> str:
    """The abbreviations in the texts, explained; ``""`` if none.

    `known` maps those other than measures and intervals, such as outcomes, to their words.
    """
    # Joined by line breaks, so that no match runs from one cell into the next.
    text = "\n".join(texts)
    found = {short: words for short, words in _BEFORE_NUMBERS.items()
             if re.search(rf"\b{short} [−\d]", text)}  # fmt: skip
    found |= {label: words for label, words in known.items()
              if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text)}  # fmt: skip
    listed = sorted(found.items(), key=lambda entry: entry[0].casefold())
    return "; ".join(f"{short}: {words}" for short, words in listed) + ("." if listed else "")
