"""Types and validators from which the models of config/ are built.

A model is a frozen dataclass that pydantic checks. Its annotations are the only definition of what
is allowed: error messages and the JSON schemas in workflow/schemas, for editors, derive from them.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Self, TypeVar, dataclass_transform, get_args

import pydantic
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetPydanticSchema,
    TypeAdapter,
    ValidationInfo,
)
from pydantic.dataclasses import dataclass
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticOmit, core_schema

from trial_evidence.words.problems import did_you_mean

T = TypeVar("T")
SHAPES: dict[str, str] = {}
"""Regular expression -> the same in words."""


Fault = tuple[tuple[str | int, ...], str]
"""A place in the file and the message about it; see `custom_error` for how a message begins."""


def custom_error(message: str) -> PydanticCustomError:
    """A validation error with our own message; one in lower case continues the quoted value."""
    return PydanticCustomError("custom", "{message}", {"message": message})


@dataclass_transform(frozen_default=True)
class Form:
    """A group of named settings; an unknown name is an error."""

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        config = pydantic.ConfigDict(extra="forbid", populate_by_name=True)
        dataclass(frozen=True, kw_only=kw_only, config=config)(cls)

    def faults(self, sections: Mapping[str, Any]) -> Iterable[Fault]:
        """Inconsistencies within the group, or with sections that were read earlier."""
        return ()

    @pydantic.model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        # Models created in code (without a context) are not checked against other sections.
        found = () if info.context is None else self.faults(info.context)
        errors = [
            InitErrorDetails(type=custom_error(said), loc=at, input=None) for at, said in found
        ]
        if errors:
            raise pydantic.ValidationError.from_exception_data(type(self).__name__, errors)
        return self


def shaped(pattern: str, words: str) -> Any:
    """A string that matches a pattern, with the pattern in words for error messages."""
    SHAPES[pattern] = words
    return Field(pattern=pattern, description=words)


def _all_different(entries: tuple[T, ...]) -> tuple[T, ...]:
    if any(entry in entries[:position] for position, entry in enumerate(entries)):
        raise custom_error("has an entry twice.")
    return entries


_different, _unique = AfterValidator(_all_different), Field(json_schema_extra={"uniqueItems": True})
Number = Annotated[float, pydantic.Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, pydantic.Strict()]
Truth = Annotated[bool, pydantic.Strict()]
# No description, which would take the place of that of the setting in the schemas.
_NOT_BLANK = r"\S"
SHAPES[_NOT_BLANK] = "a text that is not blank"
Text = Annotated[str, Field(min_length=1, pattern=_NOT_BLANK)]
# Names folders of results, and file systems allow at most 255 characters.
Id = Annotated[
    str,
    shaped("^[a-z][a-z0-9_]{0,99}$", "small letters, digits and _, a letter first, 100 at most"),
]
Several = Annotated[tuple[T, ...], _different, _unique]
Some = Annotated[tuple[T, ...], Field(min_length=1), _different, _unique]
Pair = Annotated[tuple[T, T], _different, _unique]


def one_of(words: Iterable[str]) -> GetPydanticSchema:
    """Exactly one of these words."""
    schema = core_schema.literal_schema([*words])
    return GetPydanticSchema(lambda _, __: schema)


def named(*, required: bool = True, others: Any = None, **kinds: Any) -> GetPydanticSchema:
    """A mapping with these keys; other keys are allowed only if ``others`` gives their type."""

    def schema(_: Any, handler: Callable[[Any], Any]) -> Any:
        fields = {
            name: core_schema.typed_dict_field(handler(kind), required=required)
            for name, kind in kinds.items()
        }
        if others is None:
            return core_schema.typed_dict_schema(fields, extra_behavior="forbid")
        return core_schema.typed_dict_schema(
            fields, extra_behavior="allow", extras_schema=handler(others)
        )

    return GetPydanticSchema(schema)


def keyed(*names: str) -> BeforeValidator:
    """A mapping whose entries get their own key as default value of these fields."""

    def add(entries: Any) -> Any:
        if not isinstance(entries, Mapping):
            return entries
        return {
            key: dict.fromkeys(names, key) | entry if isinstance(entry, dict) else entry
            for key, entry in entries.items()
        }

    return BeforeValidator(add)


def _read_as(schema: Any, convert: Callable[[Any, Any], Any]) -> Any:
    def read(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
        return value if info.context is None else convert(handler(value), info.context)

    return core_schema.with_info_wrap_validator_function(read, schema)


def written_as(form: Any, convert: Callable[[Any, Any], Any]) -> GetPydanticSchema:
    """A value that the file writes as one type and the model stores as another.

    ``convert`` receives the validated value and the sections read before it. In a model created in
    code, the value is stored unchanged.
    """
    return GetPydanticSchema(lambda _, handler: _read_as(handler(form), convert))


_maybe = GetPydanticSchema(
    lambda source, handler: _read_as(
        handler(reduce(or_, get_args(source)[:-1])), lambda value, _: value
    )
)
Maybe = Annotated[T | None, _maybe]
"""May be omitted from a file, and is then None; if present, it must not be empty."""


def section(name: str) -> AfterValidator:
    """A section whose entries can be referred to by anything read after it."""

    def keep(entries: T, info: ValidationInfo) -> T:
        if info.context is not None:
            info.context[name] = entries
        return entries

    return AfterValidator(keep)


def among(known: Iterable[str], word: str) -> str:
    """The end of a message: the allowed words, and the one most similar to the given word."""
    return f" Allowed: {', '.join(known) or 'none'}.{did_you_mean(word, known)}"


def key_of(name: str, what: str) -> GetPydanticSchema:
    """A key of a section, checked if that section was read; ``what`` names it in messages."""

    def check(key: str, sections: Mapping[str, Any]) -> str:
        if name in sections and key not in sections[name]:
            raise custom_error(f"is not {what}.{among(sections[name], key)}")
        return key

    return written_as(str, check)


def entry_of(name: str, what: str) -> GetPydanticSchema:
    """An entry of a section, written in the file as its key."""

    def find(key: str, sections: Mapping[str, Any]) -> Any:
        if name not in sections:
            raise PydanticOmit  # the section itself has an error, which is reported
        return sections[name][key]

    return written_as(Annotated[str, key_of(name, what)], find)


Setting = Annotated[str, key_of("settings", "a setting of analyses.yaml")]


def schema(form: type) -> str:
    """The JSON schema of a configuration file, as text."""
    return json.dumps(with_meanings(TypeAdapter(form).json_schema()), indent=2) + "\n"


def with_meanings(node: Any) -> Any:
    """A schema with each text of an ``Attributes`` section moved to the field it describes."""
    if isinstance(node, list):
        return [with_meanings(part) for part in node]
    if not isinstance(node, dict):
        return node
    said = node.get("description", "")
    # Among fields, this may be one of that name.
    said = said if isinstance(said, str) else ""
    about, _, attributes = said.partition("\n\nAttributes\n")
    meanings = dict(re.findall(r"^(\w[\w, ]*)\n((?: {4}.*\n?)+)", attributes, re.M))
    for names, meaning in meanings.items():
        for name in names.split(", "):
            if name in node["properties"]:
                node["properties"][name].setdefault("description", " ".join(meaning.split()))
    # Drop titles that only repeat the name, and the default None, which a file cannot contain.
    left_out = [
        k for k, v in node.items() if (k, v) == ("default", None) or (k == "title" and v != "")
    ]
    return {
        key: " ".join(about.split()) if said and key == "description" else with_meanings(value)
        for key, value in node.items()
        if key not in left_out or isinstance(value, dict)
    }
