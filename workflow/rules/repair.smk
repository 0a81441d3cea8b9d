"""Repair: a made file that was edited by hand, cut short or removed is made again.

What a run leaves behind is listed with its checksums. Snakemake knows files by their time: it would
take an edited table for a new one and report from it.
"""

INVENTORY = Path("data/processed/inventory.json")


def made_by_the_run():
    """Every file that a rule, or a stage behind it, has made."""
    folders = [Path("data/processed"), *(Path("results") / s for s in SETTINGS)]
    folders += [Path("results/tables"), Path("results/overview")]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    files |= {Path(path) for path in (*rules.report.output, *rules.audit.output)}
    return {path for path in files if path.is_file()} - {INVENTORY}


def lists_of(path):
    """The lists of figures that a stage writes last, for the files that no rule names."""
    above = [folder / "figures.csv" for folder in path.parents]
    here = [
        Path(*path.parts[:2], *rest, "figures.csv") for rest in ((), ("sensitivity",))
    ]
    return {*above, *here}


if not workflow.dryrun and workflow.is_main_process:
    for path in altered(INVENTORY):
        if path.is_file():
            print(f"{path} is not as it was made, and is made again.", file=sys.stderr)
        for old in (path, *lists_of(path)):
            old.unlink(missing_ok=True)
