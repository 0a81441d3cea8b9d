"""Dual HER2 inhibition: from the extraction sheet to pooled estimates, figures and tables.

check -> extract -> pool -> figures -> report; one file per stage in workflow/rules.
"""

from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/extract.smk"
include: "workflow/rules/pool.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/sensitivity.smk"
include: "workflow/rules/network.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/exchange.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/repair.smk"


# The check runs locally, so that errors in the sheet appear on the terminal, not in a cluster log.
localrules:
    all,
    check,


rule all:
    default_target: True
    input:
        rules.check.output,
        rules.report.output,
        rules.audit.output,
        rules.exchange.output,
        expand("results/{setting}/figures.csv", setting=SETTINGS),
        expand("results/{setting}/sensitivity/figures.csv", setting=SETTINGS),
        expand("results/{setting}/network/figures.csv", setting=SETTINGS),
        [forests(setting) for setting in SETTINGS],
    message:
        "Everything is up to date"


onstart:
    for folder in ("data/processed", "results"):
        remove_unfinished(Path(folder))
    # With --forceall, cached parts of earlier runs must not be used either.
    if workflow.dag_settings.forceall:
        rmtree(Path("data/processed") / PARTS, ignore_errors=True)


onsuccess:
    # A run for a single target, such as the check, prints no summary.
    if workflow.dag_settings.targets:
        write_inventory(INVENTORY, made_by_the_run() | made_before(INVENTORY))
    else:
        # Remove the outputs of settings that are no longer in the configuration.
        remove_made(made_before(INVENTORY) - made_by_the_run())
        write_inventory(INVENTORY, made_by_the_run())
        print(open("results/summary.txt", encoding="utf-8").read())
    if read_state(Path("data/raw"), Path("config")) != kept_state(Path(STATE)):
        print(
            "The sheet or the configuration was edited during this run; the results are those "
            "of the state before. Run make again."
        )
    end_timers()


onerror:
    write_inventory(INVENTORY, made_by_the_run() | made_before(INVENTORY))
    end_timers()
