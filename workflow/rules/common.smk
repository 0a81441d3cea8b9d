"""Names shared by the stages: settings, tables, and the code each stage depends on."""

import hashlib
import os
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree

sys.path.insert(0, "workflow")
from trial_evidence import standby
from trial_evidence.config.configuration import Analyses
from trial_evidence.config.methods import Methods
from trial_evidence.config.reading import read
from trial_evidence.config.simulation import Simulation
from trial_evidence.files import OWN_SETTINGS, OWN_TABLES, remove_unfinished
from trial_evidence.kept import (
    PARTS,
    altered,
    kept_state,
    made_before,
    read_state,
    remove_made,
    write_inventory,
)
from trial_evidence.words.problems import SheetError

# The commands of all rules run with the Python that runs Snakemake, and find the library. The
# matrices are small: a thread for each core makes them slower, not faster.
ENVIRONMENT = (
    f'PATH="{Path(sys.executable).parent}:$PATH" PYTHONPATH=workflow '
    "OPENBLAS_NUM_THREADS=1"
)
# A copy of a process is there at once, and not on every system a process can be copied safely.
if sys.platform == "linux" and not workflow.dryrun and workflow.is_main_process:
    name, standing_by = standby.start()
    ENVIRONMENT += f" {standby.NAME}={name}"
shell.prefix(f"export {ENVIRONMENT}; ")


wildcard_constraints:
    setting="[^/]+",


def there(*paths):
    """Those of the files that there are; the check says which are missing."""
    return [path for path in paths if Path(path).is_file()]


CONFIG = there("config/config.yaml", "config/analyses.yaml")
# Languages of figures, and styles that only `make figures` reads: no number depends on them.
LABELS = sorted(str(path) for path in Path("config/labels").glob(OWN_SETTINGS))
STYLES = there("config/styles.yaml")
# Read by the report only: a change here recomputes nothing.
REPORT_CONFIG = there("config/report.yaml")
NETWORK_CONFIG = there("config/networks.yaml")
# Only `make calibrate` reads it.
CALIBRATION_CONFIG = there("config/calibration.yaml")
# Only `make registry` reads it.
REGISTRY_CONFIG = there("config/registry.yaml")
CONFIGURATION = [
    *CONFIG,
    *LABELS,
    *STYLES,
    *REPORT_CONFIG,
    *NETWORK_CONFIG,
    *CALIBRATION_CONFIG,
    *REGISTRY_CONFIG,
]


def said(path, form):
    """What a configuration file says; None where it is not sound, and the check says why."""
    try:
        return read(Path(path), form)
    except SheetError:
        return None


METHODS = said("config/config.yaml", Methods)
ANALYSES = said("config/analyses.yaml", Analyses)
SETTINGS = list(ANALYSES.settings) if ANALYSES else []
DICTIONARY = sorted(str(path) for path in Path("workflow/dictionary").glob("*.csv"))
TABLES = sorted(str(path) for path in Path("data/raw").glob(OWN_TABLES))
# The folder itself stands for the tables that are missing from it.
SHEET = ["data/raw", *TABLES]
# What the check has passed, as it was then: all stages after it work on this, and the sheet may be
# edited again while they do.
STATE = "data/processed/state"
ON_STATE = f"--raw {STATE}/raw --config {STATE}/config"


def as_checked(*files):
    """Files of the sheet or the configuration as they were checked."""
    return [f"{STATE}/{file.removeprefix('data/')}" for file in files]


def extracted():
    """Wait for the checkpoint; without a sound configuration there are no settings to extract."""
    if SETTINGS:
        checkpoints.extract.get()


def checked(*files):
    """The same for the stages after the checkpoint, which looks what has changed in them."""

    def known(wildcards):
        extracted()
        return as_checked(*files)

    return known


def content_of(*files):
    """Checksum of what files hold, for the parameters of a rule.

    Snakemake looks at the content of an input only where its time stamp is new, and a file that was
    copied, unpacked or moved here may be older than the results. What is kept of a state is new
    wherever its content is.
    """
    whole = hashlib.sha256()
    for file in filter(os.path.isfile, files):
        whole.update(b"\0".join([file.encode(), Path(file).read_bytes(), b""]))
    return whole.hexdigest()


def code_of(*packages):
    """Checksum of the Python files of the packages named and of what all stages share.

    That is the dictionary as well: each stage reads the tables of the sheet by it.

    A parameter, and no input: Snakemake writes down a checksum of every input for every output.
    """
    folder = Path("workflow/trial_evidence")
    files = [
        *folder.glob("*.py"),
        *folder.glob("words/*.py"),
        *folder.glob("config/*.py"),
        *folder.glob("measures/*.py"),
        *map(Path, DICTIONARY),
        *(f for p in packages for f in folder.glob(f"{p}/**/*.py")),
    ]
    return content_of(*sorted(str(file) for file in files))


def end_timers():
    """Let a run that is over end: a timer of Snakemake would hold the terminal a second more.

    It tells when further jobs may be started, of which there are none.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def analyses_of(setting):
    """Folders of the analyses and rates of a setting; each has a forest plot."""
    entries = [*ANALYSES.analyses, *ANALYSES.rates] if ANALYSES else []
    return list(dict.fromkeys(e.folder for e in entries if e.setting == setting))


def forests(setting):
    """The forest plot of every analysis of a setting, in every format."""
    return expand(
        "results/{setting}/{analysis}/forest.{format}",
        setting=setting,
        analysis=analyses_of(setting),
        format=METHODS.figures.formats if METHODS else [],
    )
