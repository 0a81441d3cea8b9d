"""Audit: results to look up in the sources, and disagreements between two readers.

in    the checked sheet; config; data/processed/<setting>/used.csv, rates.csv; results/<setting>/trials.csv
out   results/checks/audit.csv, audit.md, readers.csv, readers.md
"""


rule audit:
    input:
        checked=passed,
        sheet=checked(*TABLES),
        config=checked(*CONFIG),
        trials=expand("results/{setting}/trials.csv", setting=SETTINGS),
        pages=["workflow/report/audit.md.j2", "workflow/report/readers.md.j2"],
    output:
        "results/checks/audit.csv",
        "results/checks/audit.md",
        "results/checks/readers.csv",
        "results/checks/readers.md",
    params:
        code=code_of("sheet", "extract", "pool", "audit"),
    message:
        "Audited the sheet"
    shell:
        "python -m trial_evidence audit" f" {ON_STATE}"
