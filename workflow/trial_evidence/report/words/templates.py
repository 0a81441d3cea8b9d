"""The templates of workflow/report, and the filters that they share."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jinja2
import yaml

from trial_evidence.config.methods import Selection
from trial_evidence.sheet.values import UNSEEN
from trial_evidence.words import pages
from trial_evidence.words.printed import counted, listing, percent, words

FOLDER = pages.TEMPLATES


@cache
def declared(name: str) -> Mapping[str, Any]:
    """Content of workflow/report/<name>.yaml, such as the declarations of tables and figures."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def content() -> dict[str, bytes]:
    """Content of the files of workflow/report, by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.is_file()}


def environment(**options: Any) -> jinja2.Environment:
    """Environment of the templates of workflow/report, with the filters that they share."""
    made = pages.environment(**options)
    shared = (counted, listing, percent, words, admitted)
    made.filters |= {function.__name__: function for function in shared}
    return made


def admitted(selection: Selection) -> str:
    """Which results are admitted: ``current results verified in a primary or secondary source``."""
    rules = dict(selection.admit)
    status, verification = (rules.pop(name, ()) for name in ("status", "verification"))
    sources = _either(word for word in verification if word != UNSEEN)
    seen = [f"verified in a {sources} source"] if sources else []
    seen += ["not verified"] if UNSEEN in verification else []
    said = " ".join(filter(None, [_either(status), "results", " or ".join(seen)]))
    further = "; ".join(f"{words(column)}: {_either(rule)}" for column, rule in rules.items())
    return said + (f" ({further})" if further else "")


def _either(allowed: Iterable[str]) -> str:
    return " or ".join(map(words, allowed))
