"""Names shared by the stages: settings, tables, and the code each stage depends on.

Code stands among the inputs of a rule because Snakemake then tracks it by content.
"""

import sys
from pathlib import Path

import yaml

# The commands of all rules run with the Python that runs Snakemake, and find the library. The
# matrices are small: a thread for each core makes them slower, not faster.
shell.prefix(
    f'export PATH="{Path(sys.executable).parent}:$PATH" PYTHONPATH=workflow OPENBLAS_NUM_THREADS=1; '
)

CONFIG = ["config/config.yaml", "config/analyses.yaml"]
# Languages of figures, and looks that only `make figures` reads: no number depends on them.
LABELS = sorted(str(path) for path in Path("config/labels").glob("*.yaml"))
STYLES = "config/styles.yaml"
# What the report alone reads: changing it recomputes nothing.
REPORT_CONFIG = "config/report.yaml"
NETWORK_CONFIG = "config/networks.yaml"


def content(path):
    """What a configuration file holds, as far as it can be read; the check says what is wrong."""
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


METHOD, ANALYSES = (content(path) for path in CONFIG)
SETTINGS = list(ANALYSES.get("settings") or {})
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
    entries = [*(ANALYSES.get("analyses") or []), *(ANALYSES.get("rates") or [])]
    return [entry["id"] for entry in entries if entry.get("setting") == setting]


def forests(setting):
    """The forest plot of every analysis of a setting, in every format."""
    return expand(
        "results/{setting}/{analysis}/forest.{format}",
        setting=setting,
        analysis=analyses_of(setting),
        format=METHOD.get("figures", {}).get("formats", []),
    )
