"""The texts and pages of workflow/report, with the words that all of them ask for."""

from pathlib import Path
from typing import Any

import jinja2

from trial_evidence.report.words import printed

FOLDER = Path(__file__).resolve().parents[3] / "report"


def environment(**options: Any) -> jinja2.Environment:
    """Templates of workflow/report; what one asks for and is not given is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    words = ("counted", "listing", "percent", "words", "admitted")
    made.filters |= {name: getattr(printed, name) for name in words}
    return made
