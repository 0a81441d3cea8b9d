"""Reading YAML files with the line number of every setting.

PyYAML discards line numbers, and silently takes the last of two settings with the same name.
Somebody looking for a mistake needs the line, and must be told of the duplicate.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import yaml

from trial_evidence.words.problems import CONFLICT, IN_CONFLICT, quoted

_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
# How a PyYAML message begins -> what it usually means.
_SLIPS = {
    "mapping values are not allowed": "There is a colon where none is allowed. The line is "
    "indented wrongly, or a text with a colon in it needs quotation marks, or the line before "
    "lacks its colon or the space after it.",
    "expected '<document start>'": "The line before, comments aside, is not a name followed by a "
    "colon and a space.",
    "expected <block end>": "The line is not indented like the lines it belongs to, or a text "
    "with a quotation mark in it needs quotation marks around the whole.",
    "could not find expected ':'": "A name is followed by a colon and a space; here the colon is "
    "missing, or a quotation mark is.",
    "found undefined alias": "The name after * is not defined above with &.",
    "found unexpected end of stream": "A quotation mark is never closed.",
}


class YamlFault(Exception):
    """A file is not valid YAML, or is ambiguous.

    Attributes
    ----------
    line : int or None
        Line number, from 1; None if the whole file is concerned.
    message : str
        What is wrong, in words.
    """

    def __init__(self, line: int | None, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(message)


class Group(dict[str, Any]):
    """Named settings, each with its line number.

    Attributes
    ----------
    line : int
        Line where the group begins, from 1.
    lines : dict of str to int
        Name -> line.
    items_at : dict of str to list of int
        Name of a list -> lines of its entries.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.items_at: dict[str, list[int]] = {}


# One command reads a file several times: to check and to compare it, and for lines of warnings.
@lru_cache(maxsize=32)
def read_yaml_text(content: bytes) -> Any:
    """Content of a YAML file, with every mapping as a `Group`; callers must not modify it.

    Parameters
    ----------
    content : bytes
        The file, in UTF-8 with or without a byte order mark.

    Returns
    -------
    object
        A `Group`, list, text, number, truth value or None.

    Raises
    ------
    YamlFault
        If it is not UTF-8 or not valid YAML, or if a name occurs twice in a group or is not text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise YamlFault(line, "The file is not saved as UTF-8; save it as UTF-8.") from None
    lines = text.splitlines()
    for number, line_text in enumerate(lines, start=1):
        if re.match(r" *\t", line_text):
            raise YamlFault(number, "The line begins with a tab. Indent it with spaces.")
        if CONFLICT.match(line_text):
            raise YamlFault(number, IN_CONFLICT)
    # Both loaders are safe: they create no arbitrary objects.
    if len(re.findall(r"[\[{]", text)) < _DEEPEST and max(map(len, lines), default=0) < _DEEPEST:
        with contextlib.suppress(yaml.YAMLError, RecursionError):
            return yaml.load(text, Loader=_FAST)
    try:
        return yaml.load(text, Loader=_Telling)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = None if mark is None else mark.line + 1
        raise YamlFault(at, _in_words(str(error.problem or error.context))) from None
    except RecursionError:
        message = "Groups and lists are nested too deeply. Is a bracket not closed?"
        raise YamlFault(None, message) from None
    except yaml.YAMLError as error:
        raise YamlFault(None, " ".join(str(error).split())) from None


def line_of(content: Any, path: Sequence[str | int]) -> int | None:
    """Line of a setting, or of the nearest enclosing one whose line is known.

    Parameters
    ----------
    content : object
        As `read_yaml_text` returns it.
    path : sequence of str or int
        Names of settings and positions in lists, from outermost to innermost.
    """
    found = content.line if isinstance(content, Group) else None
    items: list[int] = []
    for step in path:
        if isinstance(content, Group) and step in content:
            found, items = content.lines[str(step)], content.items_at.get(str(step), [])
        elif isinstance(content, list) and isinstance(step, int) and step < len(items):
            found, items = items[step], []
        else:
            break
        content = content[step]
    return found


def point_hint(text: object) -> str:
    """``' Use a point as decimal mark: 0.5.'`` if a text is a number with a comma, else ``''``."""
    if isinstance(text, str) and _DECIMAL_COMMA.fullmatch(text):
        return f" Use a point as decimal mark: {text.replace(',', '.')}."
    return ""


def _in_words(message: str) -> str:
    known = (words for beginning, words in _SLIPS.items() if message.startswith(beginning))
    return next(known, f"Something here is not valid YAML ({' '.join(message.split())}).")


# PyYAML's own constructors of truth values, numbers and dates.
_MADE = {
    tag: yaml.constructor.SafeConstructor.yaml_constructors[tag]
    for tag in (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp"))
}


class _Lines(yaml.constructor.SafeConstructor):
    """Constructs mappings as `Group` with line numbers; refuses duplicate names."""

    def group(self, node: yaml.MappingNode) -> Iterator[Group]:
        group = Group(node.start_mark.line + 1)
        yield group
        seen: set[str] = set()
        for name, _ in node.value:
            line = name.start_mark.line + 1
            if name.tag == "tag:yaml.org,2002:merge":
                continue
            if name.tag != "tag:yaml.org,2002:str":
                number = name.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
                hint = "A decimal mark is a point." if number else "Put it in quotation marks."
                given = f"{quoted(str(name.value))} is" if name.value else "This is"
                if not isinstance(name, yaml.ScalarNode):
                    given = f"A {'list' if isinstance(name, yaml.SequenceNode) else 'group'} is"
                    hint = "A name is a text."
                raise YamlFault(line, f"{given} not the name of a setting. {hint}")
            if name.value in seen:
                raise YamlFault(line, f'"{name.value}" occurs twice in its group.')
            seen.add(name.value)
        self.flatten_mapping(node)
        for name, value in node.value:
            group[name.value] = self.construct_object(value, deep=True)
            group.lines[name.value] = name.start_mark.line + 1
            if isinstance(value, yaml.SequenceNode):
                group.items_at[name.value] = [x.start_mark.line + 1 for x in value.value]

    def scalar(self, node: yaml.ScalarNode) -> Any:
        """A truth value, number or date; YAML tags even 2026-13-45 as a date, by its form."""
        try:
            return _MADE[node.tag](self, node)
        except (ArithmeticError, AttributeError, LookupError, ValueError):
            message = f"{quoted(node.value)} is written as a number or a date and is none."
            hint = "Put it in quotation marks if it is a text."
            raise YamlFault(node.start_mark.line + 1, f"{message} {hint}") from None


class _Telling(_Lines, yaml.SafeLoader):
    """The Python loader: `_SLIPS` explains its messages, and deep nesting does not crash it."""


# The C loader, if PyYAML was built with it, is eight times as fast, but nesting thousands deep
# crashes the process; so files with longer lines or more brackets than this use the Python loader.
_FAST = type("_Fast", (_Lines, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), {})
_DEEPEST = 1000
_loaders: tuple[Any, ...] = (_Telling, _FAST)
for _loader in _loaders:
    _loader.add_constructor("tag:yaml.org,2002:map", _Lines.group)
    for _tag in _MADE:
        _loader.add_constructor(_tag, _Lines.scalar)
