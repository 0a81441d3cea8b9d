"""JSON schemas of models, with the meaning of every field as far as a docstring has it."""

import json
import re
from typing import Any

from pydantic import TypeAdapter


def schema(form: type) -> str:
    """The JSON schema of a file."""
    return json.dumps(with_meanings(TypeAdapter(form).json_schema()), indent=2) + "\n"


def with_meanings(node: Any) -> Any:
    """A schema with the meanings of ``Attributes`` at the fields that they are about."""
    if isinstance(node, list):
        return [with_meanings(part) for part in node]
    if not isinstance(node, dict):
        return node
    about, _, attributes = str(node.get("description", "")).partition("\n\nAttributes\n")
    meanings = dict(re.findall(r"^(\w[\w, ]*)\n((?: {4}.*\n?)+)", attributes, re.M))
    for names, meaning in meanings.items():
        for name in names.split(", "):
            if name in node["properties"]:
                node["properties"][name].setdefault("description", " ".join(meaning.split()))
    # A title that only repeats the name, and None, which a file cannot say.
    left_out = [
        k for k, v in node.items() if (k, v) == ("default", None) or (k == "title" and v != "")
    ]
    return {
        key: " ".join(about.split()) if key == "description" else with_meanings(value)
        for key, value in node.items()
        if key not in left_out or isinstance(value, dict)
    }
