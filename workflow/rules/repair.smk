"""Repair: a made file that was edited by hand, cut short or removed is made again.

What a run leaves behind is listed with its checksums. Snakemake knows files by their time: it would
take an edited table for a new one and report from it.
"""

INVENTORY = Path("data/processed/inventory.json")


def made_by_the_run():
    """Every file that a rule, or a stage behind it, has made."""
    folders = [Path("data/processed") / name for name in (*SETTINGS, "state")]
    folders += [Path("results") / name for name in (*SETTINGS, "tables", "overview")]
    files = {path for folder in folders for path in folder.rglob("*")}
    # Whoever works with these files in another program may keep files of their own beside them.
    exchanged = Path("results/exchange").rglob("*")
    files |= {path for path in exchanged if path.suffix in (".csv", ".R")}
    outputs = rules.report.output, rules.audit.output, rules.exchange.output
    files |= {Path(path) for output in outputs for path in output}
    return {path for path in files if path.is_file()}


def lists_of(path):
    """What a stage writes last for files that are no declared output: lists, mostly of figures."""
    if path.is_relative_to("results/exchange"):
        return {Path(file) for file in rules.exchange.output}
    named = {file for setting in SETTINGS for file in forests(setting)}
    folders = (
        [] if path.as_posix() in named else [*path.parents, *setting_folders(path)]
    )
    return {folder / "figures.csv" for folder in folders}


def setting_folders(path):
    """The folder of the setting of a file and that of its sensitivity analyses."""
    folder = Path(*path.parts[:2])
    return [folder, folder / "sensitivity"]


# While another run is under way its files are new and not in the inventory; Snakemake ends this one
# when it comes to the lock.
under_way = any(Path(".snakemake/locks").glob("*"))
if not workflow.dryrun and workflow.is_main_process and not under_way:
    for path in altered(INVENTORY):
        if path.is_file():
            print(f"{path} is not as it was made, and is made again.", file=sys.stderr)
        for old in (path, *lists_of(path)):
            old.unlink(missing_ok=True)
