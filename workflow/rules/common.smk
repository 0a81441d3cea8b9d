"""Names shared by the stages: settings, tables, and the code each stage depends on.

Code stands among the inputs of a rule because Snakemake then tracks it by content.
"""

import sys
from pathlib import Path

# The commands of all rules run with the Python that runs Snakemake, and find the library.
shell.prefix(f'export PATH="{Path(sys.executable).parent}:$PATH" PYTHONPATH=workflow; ')

# A setting is only looked up here; what config/ must hold is said by the check.
SETTINGS = list(config.get("settings", {}))
CONFIG = ["config/config.yaml", "config/analyses.yaml"]
DICTIONARY = sorted(str(path) for path in Path("workflow/dictionary").glob("*.csv"))
# The folder itself stands for the tables that are missing from it.
SHEET = ["data/raw", *sorted(str(path) for path in Path("data/raw").glob("*.csv"))]


def code(*packages):
    """Python files of the packages named and of what all stages share."""
    folder = Path("workflow/trial_evidence")
    files = [
        *folder.glob("*.py"),
        *(f for p in packages for f in folder.glob(f"{p}/*.py")),
    ]
    return sorted(str(file) for file in files)


def analyses_of(setting):
    """Ids of the analyses and rates of a setting; each has a forest plot."""
    entries = [*config.get("analyses", []), *config.get("rates", [])]
    return [entry["id"] for entry in entries if entry["setting"] == setting]
