"""Text pages, rendered from the templates of workflow/report."""

from collections.abc import Callable
from typing import Any

import jinja2

from trial_evidence.words.supplied import supplied

TEMPLATES = supplied("report")


def environment(**options: Any) -> jinja2.Environment:
    """The Jinja environment for workflow/report; an undefined variable raises an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def filled(template: str, plain: Callable[[str], str], **content: Any) -> str:
    """A rendered template; the filter ``plain`` escapes characters that would act as markup."""
    made = environment(keep_trailing_newline=True)
    made.filters["plain"] = plain
    return made.get_template(template).render(**content)
