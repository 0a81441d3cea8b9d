"""Writes the JSON schemas of config/, with which an editor helps whoever writes there.

``PYTHONPATH=workflow python -m trial_evidence.config``
"""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from trial_evidence.config.configuration import Analyses
from trial_evidence.config.labels import Labels
from trial_evidence.config.looks import Styles
from trial_evidence.config.methods import Methods
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.reports import ReportConfiguration
from trial_evidence.config.simulation import Simulation
from trial_evidence.files import write_text

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
FORMS = {
    "config": Methods,
    "analyses": Analyses,
    "networks": NetworkConfiguration,
    "report": ReportConfiguration,
    "styles": Styles,
    "labels": Labels,
    "calibration": Simulation,
}


def schema(form: type) -> str:
    """The JSON schema of a file, with the meaning of every setting as far as a docstring has it."""
    return json.dumps(_plain(TypeAdapter(form).json_schema()), indent=2) + "\n"


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(part) for part in node]
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
        key: " ".join(about.split()) if key == "description" else _plain(value)
        for key, value in node.items()
        if key not in left_out or isinstance(value, dict)
    }


if __name__ == "__main__":
    for name, form in FORMS.items():
        write_text(SCHEMAS / f"{name}.schema.json", schema(form))
