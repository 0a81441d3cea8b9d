"""Repair: generated files that were edited by hand, truncated or removed are made again.

A run lists its outputs with their checksums. Snakemake only looks at time stamps: it would take an
edited table for a new one and report from it.
"""

INVENTORY = Path("data/processed/inventory.json")
OF_SETTING = ("estimates", "trials", "rates", "figures")


def made_by_the_run():
    """Every file made by a rule, whether a declared output or not.

    Users may keep their own files in the folders of the results, and programs leave theirs there.
    """
    folders = [Path("data/processed") / name for name in (*SETTINGS, "state")]
    files = {path for folder in folders for path in folder.rglob("*")}
    results = Path("results")
    for name in (*SETTINGS, "overview"):
        for record in (results / name).rglob(".drawn*.json"):
            files |= {record, *drawn_files(record)}
    for name in SETTINGS:
        files |= {results / name / f"{table}.csv" for table in OF_SETTING}
        files |= {*(results / name / "sensitivity").glob("*.csv")}
        files |= {*(results / name / "network").rglob("*.csv")}
    files |= {results / "tables" / f"{table}.docx" for table in REPORT_TABLES}
    files |= {results / "exchange" / MADE, *listed_files(results / "exchange" / MADE)}
    outputs = rules.report.output, rules.audit.output, rules.exchange.output
    files |= {Path(path) for output in outputs for path in output}
    return {path for path in files if path.is_file()}


def lists_of(path):
    """The lists that a stage writes last, for files that are not declared outputs."""
    if path.is_relative_to("results/exchange"):
        return {Path(file) for file in rules.exchange.output}
    if path.is_relative_to("results/tables"):
        return {Path(rules.report.output.provenance)}
    named = {file for setting in SETTINGS for file in forests(setting)}
    folders = (
        [] if path.as_posix() in named else [*path.parents, *setting_folders(path)]
    )
    return {folder / "figures.csv" for folder in folders}


def setting_folders(path):
    """The folder of a file's setting, and that of its sensitivity analyses."""
    folder = Path(*path.parts[:2])
    return [folder, folder / "sensitivity"]


# Files of another run in progress are new and not in the inventory; Snakemake stops this run at the
# lock.
under_way = any(Path(".snakemake/locks").glob("*"))
if not workflow.dryrun and workflow.is_main_process and not under_way:
    for path in altered(INVENTORY):
        if path.is_file():
            print(f"{path} is not as it was made, and is made again.", file=sys.stderr)
        for old in (path, *lists_of(path)):
            old.unlink(missing_ok=True)
