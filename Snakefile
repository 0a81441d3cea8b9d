"""Dual HER2 inhibition: from the extraction sheet to pooled estimates, figures and tables.

check -> extract -> pool -> figures -> report; one file a stage in workflow/rules.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"
configfile: "config/analyses.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/extract.smk"
include: "workflow/rules/pool.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
        expand("results/{setting}/figures.csv", setting=SETTINGS),
    message:
        "Everything is up to date"


onsuccess:
    print(open("results/summary.txt", encoding="utf-8").read())
