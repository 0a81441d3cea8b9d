"""Abbreviations that a table prints, in words: a table is read without the text around it."""

import re
from collections.abc import Iterable, Mapping

from trial_evidence.measures import MEASURES

# Printed before a number; the same letters may mean something else alone, such as a genotype.
_BEFORE_NUMBERS = {
    "CI": "confidence interval",
    "CrI": "Bayesian credible interval",
    **{found.short: found.title.lower() for found in MEASURES.values() if found.compares},
}


def abbreviations(texts: Iterable[str], outcomes: Mapping[str, str]) -> str:
    """Measures, intervals and outcomes that the texts abbreviate; ``""`` where there is none.

    `outcomes` maps the label of an outcome to its words.
    """
    # Cells follow each other, and no word goes on from one to the next.
    text = "\n".join(texts)
    found = {short: words for short, words in _BEFORE_NUMBERS.items()
             if re.search(rf"\b{short} [−\d]", text)}  # fmt: skip
    found |= {label: words for label, words in outcomes.items()
              if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text)}  # fmt: skip
    listed = sorted(found.items(), key=lambda entry: entry[0].casefold())
    return "; ".join(f"{short}: {words}" for short, words in listed) + ("." if listed else "")
