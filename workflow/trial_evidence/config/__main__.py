"""Writes the JSON schemas of config/, which editors use for completion and checks.

``PYTHONPATH=workflow python -m trial_evidence.config``
"""

from pathlib import Path

from trial_evidence.config.configuration import Analyses
from trial_evidence.config.forms import schema
from trial_evidence.config.labels import Labels
from trial_evidence.config.looks import Styles
from trial_evidence.config.methods import Methods
from trial_evidence.config.networks import NetworkConfiguration
from trial_evidence.config.registry import RegistryWords
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
    "registry": RegistryWords,
    "calibration": Simulation,
}

if __name__ == "__main__":
    for name, form in FORMS.items():
        write_text(SCHEMAS / f"{name}.schema.json", schema(form))
