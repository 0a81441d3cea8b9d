"""Check: is the sheet free of errors?

in    data/raw, workflow/dictionary, config
out   data/processed/checked, a mark that this sheet passed; data/processed/state, a copy of the
      checked sheet and configuration, which all later stages read; results/checks/problems.csv,
      every finding, written whether or not the sheet passes
"""


rule check:
    input:
        sheet=SHEET,
        # The folder is an input too, to notice files that are missing from it.
        config=["config", *CONFIGURATION],
        dictionary=DICTIONARY,
    output:
        mark=touch("data/processed/checked"),
        state=update(as_checked(*TABLES, *CONFIGURATION)),
    log:
        "results/checks/problems.csv",
    params:
        code=code_of("sheet", "extract"),
        content=content_of(*TABLES, *CONFIGURATION),
    message:
        "Checked the sheet"
    shell:
        f"python -m trial_evidence check --state {STATE}"
