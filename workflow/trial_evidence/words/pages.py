"""Pages of words, made from the templates of workflow/report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).resolve().parents[2] / "report"


def filled(template: str, plain: Callable[[str], str], **content: Any) -> str:
    """A template with its content; ``plain`` keeps marks in a text from being read as markup."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = plain
    return made.get_template(template).render(**content)
