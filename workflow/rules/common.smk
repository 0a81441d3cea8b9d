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
    LIBRARIES,
    MADE,
    PARTS,
    altered,
    drawn_files,
    kept_state,
    listed_files,
    made_before,
    read_state,
    remove_made,
    write_inventory,
)
from trial_evidence.words.problems import SheetError

standby.print_what_fits()

# All rules use the Python that runs Snakemake, and find the library. The matrices are small: one
# thread per core would make them slower, not faster.
ENVIRONMENT = (
    f'PATH="{Path(sys.executable).parent}:$PATH" PYTHONPATH=workflow '
    "OPENBLAS_NUM_THREADS=1"
)
# Forking a standby process saves the imports, but forking is not safe on every system.
if sys.platform == "linux" and not workflow.dryrun and workflow.is_main_process:
    name, standing_by = standby.start()
    ENVIRONMENT += f" {standby.NAME}={name}"
shell.prefix(f"export {ENVIRONMENT}; ")


wildcard_constraints:
    setting="[^/]+",


def there(*paths):
    """The files that exist; the check reports missing ones."""
    return [path for path in paths if Path(path).is_file()]


CONFIG = there("config/config.yaml", "config/analyses.yaml")
# Languages of figures, and styles read only by `make figures`: no number depends on them.
LABELS = sorted(str(path) for path in Path("config/labels").glob(OWN_SETTINGS))
STYLES = there("config/styles.yaml")
# Read only by the report: after a change, nothing is computed again.
REPORT_CONFIG = there("config/report.yaml")
NETWORK_CONFIG = there("config/networks.yaml")
# Only `make calibrate` reads it.
CALIBRATION_CONFIG = there("config/calibration.yaml")
# Only `make registry` reads it.
REGISTRY_CONFIG = there("config/registry.yaml")
# Every file that is part of the state of a run, whoever reads it.
CONFIGURATION = sorted(str(path) for path in Path("config").rglob(OWN_SETTINGS))


def said(path, form):
    """Content of a configuration file; None if it has errors, which the check reports."""
    try:
        return read(Path(path), form)
    except SheetError:
        return None


METHODS = said("config/config.yaml", Methods)
ANALYSES = said("config/analyses.yaml", Analyses)
SETTINGS = list(ANALYSES.settings) if ANALYSES else []
DICTIONARY = sorted(str(path) for path in Path("workflow/dictionary").glob("*.csv"))
TABLES = sorted(str(path) for path in Path("data/raw").glob(OWN_TABLES))
# The folder is included to notice tables that are missing from it.
SHEET = ["data/raw", *TABLES]
# A copy of the checked sheet and configuration. All later stages read it, so that the sheet can be
# edited while they run.
STATE = "data/processed/state"
ON_STATE = f"--raw {STATE}/raw --config {STATE}/config"


def as_checked(*files):
    """The checked copies of files of the sheet or the configuration."""
    return [f"{STATE}/{file.removeprefix('data/')}" for file in files]


def extracted():
    """Wait for the checkpoint; if the configuration has errors, there are no settings to extract."""
    if SETTINGS:
        checkpoints.extract.get()


def checked(*files):
    """The checked copies, as inputs of the stages after the checkpoint."""

    def known(wildcards):
        extracted()
        return as_checked(*files)

    return known


def content_of(*files):
    """Checksum of the content of files, for the parameters of a rule.

    Snakemake looks at the content of an input only if its time stamp is new, but a file that was
    copied, unpacked or moved here may be older than the results. Files in the checked copy get a
    new time stamp whenever their content changes.
    """
    whole = hashlib.sha256()
    for file in filter(os.path.isfile, files):
        whole.update(b"\0".join([file.encode(), Path(file).read_bytes(), b""]))
    return whole.hexdigest()


def code_of(*packages):
    """Checksum of the Python files of these packages and of the files that all stages share.

    The shared files include the dictionary, with which each stage reads the tables of the sheet.

    A parameter, not an input: Snakemake records a checksum of every input for every output.
    """
    folder = Path("workflow/trial_evidence")
    files = [
        *folder.glob("*.py"),
        *folder.glob("cli/*.py"),
        *folder.glob("words/*.py"),
        *folder.glob("config/*.py"),
        *folder.glob("measures/*.py"),
        *map(Path, DICTIONARY),
        *(f for p in packages for f in folder.glob(f"{p}/**/*.py")),
    ]
    # With another version of a library, numbers or drawings may differ.
    versions = [sys.version, *(version(name) for name in LIBRARIES)]
    return f"{content_of(*sorted(str(file) for file in files))} {' '.join(versions)}"


def end_timers():
    """Cancel Snakemake's timers, which would keep a finished run alive for another second.

    They signal when further jobs may be started, but there are none.
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
