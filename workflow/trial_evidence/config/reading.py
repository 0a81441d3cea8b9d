"""Reads a file of config/ into its model, and tells in words and all at once what is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from trial_evidence.config.forms import SHAPES
from trial_evidence.config.yaml_files import YamlFault, line_of, point_hint, read_yaml_text
from trial_evidence.words.problems import Problem, SheetError, did_you_mean, shortened

T = TypeVar("T")
# What a place can hold, by the words of a schema and of pydantic's faults.
_GROUP, _LIST = "a group of named settings", "a list"
TYPES = {
    **dict.fromkeys(("object", "dataclass", "dict", "mapping", "model"), _GROUP),
    **dict.fromkeys(("array", "tuple", "list"), _LIST),
    "string": "a text",
    **dict.fromkeys(("number", "float", "finite"), "a number"),
    **dict.fromkeys(("integer", "int"), "a whole number"),
    **dict.fromkeys(("boolean", "bool"), "true or false"),
}
# Kind of fault -> the name of its limit, and how what stands there compares with it.
_LIMITS = {
    "greater_than": ("gt", "is less than or equal to the minimum of"),
    "greater_than_equal": ("ge", "is less than the minimum of"),
    "less_than": ("lt", "is greater than or equal to the maximum of"),
    "less_than_equal": ("le", "is greater than the maximum of"),
}
Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """What is wrong at a place in a file.

    A message that begins with a small letter goes on from what stands there. ``name`` is one that
    the group at this place should not hold.
    """

    path: Place
    message: str
    name: str = ""


@dataclass
class Reading(Generic[T]):
    """A file of config/ as it was read: what it says, if it is sound, and what is wrong in it."""

    file: str
    content: Any = None
    found: T | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def model(self) -> T:
        """What the file says; `SheetError` with all problems where it is not sound."""
        if self.found is None or self.problems:
            raise SheetError(tuple(self.problems))
        return self.found

    def tell(self, faults: Iterable[Fault]) -> None:
        """Add what is wrong, each with its place and line and what stands there."""
        for path, message, name in faults:
            subject = _subject(self.content, path)
            place = ".".join(step for step in path if isinstance(step, str))
            here = reduce(getitem, path, self.content) if message[0].islower() else ""
            value = _listed(here) if isinstance(here, list) else str(here)
            line = line_of(self.content, [*path, name] if name else path)
            self.problems.append(problem(self.file, subject, place, value, message, line))


def problem(
    file: str, subject: str, column: str, value: str, message: str, line: int | None = None
) -> Problem:
    """An error in a configuration file.

    ``subject`` is the entry it is about, ``column`` the setting, ``value`` what stands there, where
    the message goes on from it; each may be empty.
    """
    quoted = f'"{shortened(value)}" ' if value else ""
    entry = f"{shortened(subject)}: " if subject else ""
    return Problem("error", file, line, subject, column, value, f"{entry}{quoted}{message}")


def read(path: Path, form: type[T], **sections: Any) -> Reading[T]:
    """Read a file and hold it against its model; it may name entries of ``sections`` of others."""
    reading: Reading[T] = Reading(path.name)
    if not path.is_file():
        reading.problems.append(problem(path.name, "", "", "", "The file is missing."))
        return reading
    try:
        reading.content = read_yaml_text(path.read_bytes())
    except YamlFault as fault:
        reading.problems.append(problem(path.name, "", "", "", fault.message, fault.line))
        return reading
    adapter = TypeAdapter(form)
    try:
        reading.found = adapter.validate_python(
            reading.content, context=sections, by_alias=True, by_name=False
        )
    except ValidationError as error:
        schema, faults = adapter.json_schema(), dict[Any, Fault]()
        for found in error.errors(include_url=False, include_input=False):
            if told := _fault(found, reading.content, schema):
                faults.setdefault((told.path, told.name), told)
        reading.tell(sorted(faults.values(), key=lambda told: [str(step) for step in told.path]))
    return reading


def _subject(content: Any, path: Place) -> str:
    """The entry of a list that a place is in, by its name or position."""
    if len(path) < 2 or not isinstance(path[1], int):
        return ""
    entry = content[path[0]][path[1]]
    if not isinstance(entry, dict):
        return ""
    names = (str(entry[key]) for key in ("id", "network", "analysis") if key in entry)
    return next(names, f"entry {path[1] + 1}")


def _located(loc: Place, content: Any, schema: Any) -> tuple[Place, Any, Any]:
    """The place in the file that a fault of pydantic is about, what stands there, its schema."""

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


def _fault(error: Mapping[str, Any], content: Any, schema: Any) -> Fault | None:
    kind, loc = error["type"], error["loc"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        path, _, node = _located(loc[:-1], content, schema)
        name, known = str(loc[-1]), sorted(node["properties"])
        near = did_you_mean(name, known)
        message = f'"{name}" is not known here. Known: {", ".join(known)}.{near}'
        return Fault(path, message, name)
    path, here, node = _located(loc, content, schema)
    if kind == "too_short" and len(here) >= error["ctx"]["min_length"]:
        return None  # its entries are wrong, which is told of each
    if kind == "missing" and isinstance(loc[-1], str):
        return Fault(path, f'"{loc[-1]}" is missing.', loc[-1])
    if kind.startswith("union_tag"):
        name = node["discriminator"]["propertyName"]
        if name not in here:
            return Fault(path, f'"{name}" is missing.')
        node = {"enum": list(node["discriminator"]["mapping"]), "type": "string"}
        path, here = (*path, name), here[name]
    return Fault(path, _in_words(error, here, node))


def _in_words(error: Mapping[str, Any], found: Any, node: Mapping[str, Any]) -> str:
    """What is wrong, for somebody who has never seen a schema."""
    kind, limits = error["type"], error.get("ctx", {})
    either = node.get("description", "") if "anyOf" in node else ""
    if found is None:
        wanted = either or TYPES[node.get("type", "string")]
        return f"Here stands nothing; it has to be {wanted}."
    if kind == "told":
        return str(error["msg"])
    if either:
        return f"is not allowed. Allowed: {either}."
    if kind == "string_pattern_mismatch":
        return f"is not allowed. Allowed: {SHAPES[limits['pattern']]}."
    if "enum" in node or "const" in node:
        allowed = [str(word) for word in node.get("enum", [node.get("const")])]
        near = did_you_mean(str(found), allowed)
        return f"is not allowed. Allowed: {', '.join(allowed)}.{near}"
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{found} {words} {limits[name]:g}."
    if kind == "string_too_long":
        return f"is longer than {limits['max_length']} characters."
    if kind in ("too_short", "string_too_short") and not found:
        return f"{found or repr(found)} should be non-empty."
    if kind in ("missing", "too_short", "too_long"):
        number = limits.get("max_length") or node["minItems"]
        allowed_number = f"{'at most' if kind == 'too_long' else 'at least'} {number}"
        return (
            f"{_listed(found)} are {len(found)} entries; there have to be {allowed_number}. "
            "A decimal mark is a point; a comma begins the next entry."
        )
    if isinstance(found, bool) and kind == "string_type":
        return "Yes, no, true and false are no text here. Put the word in quotation marks."
    wanted = TYPES.get(kind.partition("_")[0])
    return f"is not {wanted}.{point_hint(found)}" if wanted else str(error["msg"])


def _listed(entries: Sequence[object]) -> str:
    return f"[{', '.join(str(entry) for entry in entries)}]"
