"""Check: is the sheet sound?

in    data/raw, workflow/dictionary, config
out   data/processed/checked, the mark that this sheet passed; data/processed/state, the sheet and the
      configuration as they were checked, on which all later stages work; results/checks/problems.csv,
      every finding, written whether the sheet passes or not
"""


rule check:
    input:
        sheet=SHEET,
        # The folder itself stands for the files that are missing from it.
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
        # It needs the least and comes first: it would wait for the imports of the others.
        f"{standby.NAME}= python -m trial_evidence check --state {STATE}"
