"""Pages of words, made from the templates of workflow/report."""

from collections.abc import Callable
from typing import Any

import jinja2

from trial_evidence.words.supplied import supplied

TEMPLATES = supplied("report")


def environment(**options: Any) -> jinja2.Environment:
    """Templates of workflow/report; what one asks for and is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def filled(template: str, plain: Callable[[str], str], **content: Any) -> str:
    """A template with its content; ``plain`` keeps marks in a text from being read as markup."""
    made = environment(keep_trailing_newline=True)
    made.filters["plain"] = plain
    return made.get_template(template).render(**content)
