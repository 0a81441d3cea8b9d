"""Reads a file of config/ into its model, or reports all its errors at once in plain words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from trial_evidence.config.forms import SHAPES, among
from trial_evidence.config.yaml_files import YamlFault, line_of, point_hint, read_yaml_text
from trial_evidence.words.problems import Problem, SheetError, did_you_mean, shortened

T = TypeVar("T")
Place = tuple[str | int, ...]
LineOf = Callable[[Place], int | None]
"""The line of a place in a file of config/; None if unknown."""
# Types in words, by their names in JSON schemas and in pydantic's errors.
TYPES = {
    kind: words
    for words, kinds in {
        "a group of named settings": "object dataclass dict mapping model",
        "a list": "array tuple list",
        "a text": "string",
        "a number": "number float finite",
        "a whole number": "integer int",
        "true or false": "boolean bool",
    }.items()
    for kind in kinds.split()
}
# Type of error -> the name of the limit, and how the value compares with it.
_LIMITS = {
    "greater_than": ("gt", "is less than or equal to the minimum of"),
    "greater_than_equal": ("ge", "is less than the minimum of"),
    "less_than": ("lt", "is greater than or equal to the maximum of"),
    "less_than_equal": ("le", "is greater than the maximum of"),
}


def problem(
    file: str, subject: str, column: str, value: str, message: str, line: int | None = None
) -> Problem:
    """An error in a configuration file.

    ``subject`` is the entry concerned, ``column`` the setting, and ``value`` the value found, if
    the message continues from it; each may be empty.
    """
    quoted = f'"{shortened(value)}" ' if value else ""
    entry = f"{shortened(subject)}: " if subject else ""
    return Problem("error", file, line, subject, column, value, f"{entry}{quoted}{message}")


def lines_of(path: Path) -> LineOf:
    """A function that finds lines in a valid file; it reads the file again at the first call."""

    @cache
    def content() -> Any:
        # The file may have been saved with an error since; problems then have no line number.
        with suppress(OSError, YamlFault):
            return read_yaml_text(path.read_bytes())

    return lambda place: line_of(content(), place)


def nowhere(place: Place) -> int | None:
    """None: a configuration created in code has no lines."""
    return None


def not_allowed(
    place: tuple[str, int, str, str], value: str, wrong: str, known: Iterable[str]
) -> Problem:
    """An error in a cell (file, row, subject, column), with the allowed words."""
    return Problem("error", *place, value, f'"{value}" {wrong}{among(known, value)}')


def read(path: Path, form: type[T], **sections: Any) -> T:
    """Read a file into its model; it may refer to entries of ``sections`` of other files.

    Raises
    ------
    SheetError
        If the file is missing, is not valid YAML, or has a value that is not allowed. It lists all
        problems, each with the place, the line, the value found and what is allowed.
    """
    try:
        content = read_yaml_text(path.read_bytes())
    except FileNotFoundError:
        raise SheetError([problem(path.name, "", "", "", "The file is missing.")]) from None
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}."
        raise SheetError([problem(path.name, "", "", "", message)]) from None
    except YamlFault as fault:
        raise SheetError([problem(path.name, "", "", "", fault.message, fault.line)]) from None
    adapter = TypeAdapter(form)
    try:
        return adapter.validate_python(content, context=sections, by_alias=True, by_name=False)
    except ValidationError as error:
        schema, found = adapter.json_schema(), error.errors(include_url=False, include_input=False)
    messages = dict[tuple[Place, str], str]()
    for place, name, message in _faults(found, content, schema):
        messages.setdefault((place, name), message)
    raise SheetError(
        [
            problem(
                path.name,
                _subject(content, place),
                ".".join(step for step in place if isinstance(step, str)),
                _value(reduce(getitem, place, content)) if message[0].islower() else "",
                message,
                line_of(content, [*place, name]),
            )
            for (place, name), message in sorted(messages.items(), key=lambda fault: str(fault[0]))
        ]
    )


def _subject(content: Any, path: Place) -> str:
    """Name or position of the list entry that contains a place."""
    if len(path) < 2 or not isinstance(path[1], int):
        return ""
    entry = content[path[0]][path[1]]
    if not isinstance(entry, dict):
        return ""
    names = (str(entry[key]) for key in ("id", "network", "analysis") if key in entry)
    return next(names, f"entry {path[1] + 1}")


def _located(loc: Place, content: Any, schema: Any) -> tuple[Place, Any, Any]:
    """The place in the file of a pydantic error, with its content and schema."""

    def resolved(node: Any) -> Any:
        if "$ref" not in node:
            return node
        return {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node}

    path: Place = ()
    node = schema
    for step in loc:
        if isinstance(content, dict) and step in content and "anyOf" not in node:
            others = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
            node = node.get("properties", {}).get(step, next(filter(None, others), {}))
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            node = node["prefixItems"][step] if "prefixItems" in node else node.get("items", {})
        elif "discriminator" in node:
            node = resolved({"$ref": node["discriminator"]["mapping"][step]})
            continue
        else:
            break
        path, content, node = (*path, step), content[step], resolved(node)
    return path, content, node


def _faults(
    errors: Iterable[Mapping[str, Any]], content: Any, schema: Any
) -> Iterator[tuple[Place, str, str]]:
    """Pydantic's errors as place, name that is unknown or missing there, and message."""
    for error in errors:
        kind, loc, name = error["type"], error["loc"], str(["", *error["loc"]][-1])
        place, here, node = _located(loc, content, schema)
        if kind in ("unexpected_keyword_argument", "extra_forbidden"):
            place, _, node = _located(loc[:-1], content, schema)
            known = sorted(node["properties"])
            near = did_you_mean(name, known)
            yield place, name, f'"{name}" is not known here. Known: {", ".join(known)}.{near}'
        elif kind == "custom" and error["msg"].startswith(f'"{name}" ') and place[-1:] == (name,):
            yield place[:-1], name, error["msg"]
        elif kind == "missing" and isinstance(loc[-1], str):
            yield place, name, f'"{name}" is missing.'
        elif kind.startswith("union_tag"):
            name, allowed = node["discriminator"]["propertyName"], node["discriminator"]["mapping"]
            if name in here:
                yield (*place, name), "", f"is not allowed.{among(allowed, str(here[name]))}"
            else:
                yield place, name, f'"{name}" is missing.'
        # Pydantic omits wrong entries; a list with one is not really too short.
        elif kind != "too_short" or len(here) < error["ctx"]["min_length"]:
            yield place, "", _in_words(error, here, node)


def _in_words(error: Mapping[str, Any], found: Any, node: Mapping[str, Any]) -> str:
    """An error message for readers who have never seen a schema."""
    kind, limits = error["type"], error.get("ctx", {})
    either = node.get("description", "") if "anyOf" in node else ""
    if found is None:
        wanted = either or TYPES[node.get("type", "string")]
        return f"Nothing is given here; it must be {wanted}."
    if kind == "custom":
        return str(error["msg"])
    if either:
        return f"is not allowed. Allowed: {either}."
    if kind == "string_pattern_mismatch":
        return f"is not allowed. Allowed: {SHAPES[limits['pattern']]}."
    if "enum" in node or "const" in node:
        allowed = [str(word) for word in node.get("enum", [node.get("const")])]
        return f"is not allowed.{among(allowed, str(found))}"
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{found} {words} {limits[name]:g}."
    if kind == "string_too_long":
        return f"is longer than {limits['max_length']} characters."
    if kind in ("too_short", "string_too_short") and not found:
        return f"{found or repr(found)} must not be empty."
    if kind in ("missing", "too_short", "too_long"):
        number = limits.get("max_length") or node["minItems"]
        allowed_number = f"{'at most' if kind == 'too_long' else 'at least'} {number}"
        return (
            f"{_value(found)} has {len(found)} entries; there must be {allowed_number}. "
            "A decimal mark is a point; a comma begins the next entry."
        )
    if isinstance(found, bool) and kind == "string_type":
        return "Yes, no, true and false are not read as text. Put the word in quotation marks."
    wanted = TYPES.get(kind.partition("_")[0])
    if wanted == TYPES["list"] and isinstance(found, str | int | float):
        return f"is not a list. Write it in square brackets: [{found}]"
    return f"is not {wanted}.{point_hint(found)}" if wanted else str(error["msg"])


def _value(found: Any) -> str:
    return f"[{', '.join(map(str, found))}]" if isinstance(found, list) else str(found)
