"""The texts and pages of workflow/report, with the words that all of them ask for."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import yaml

from trial_evidence.report.words import printed
from trial_evidence.words import pages

FOLDER = pages.TEMPLATES


@cache
def declared(name: str) -> Mapping[str, Any]:
    """What workflow/report/<name>.yaml says, such as of every table or figure."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def content() -> dict[str, bytes]:
    """What the files of workflow/report hold, by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.is_file()}


def environment(**options: Any) -> jinja2.Environment:
    """Templates of workflow/report with the filters that those of the report share."""
    made = pages.environment(**options)
    words = ("counted", "listing", "percent", "words", "admitted")
    made.filters |= {name: getattr(printed, name) for name in words}
    return made
