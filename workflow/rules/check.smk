"""Check: is the sheet sound?

in    data/raw, workflow/dictionary, config
out   data/processed/checked, the mark that this sheet passed; results/checks/problems.csv,
      every finding, written whether the sheet passes or not
"""


rule check:
    input:
        sheet=SHEET,
        # The folder itself stands for the files that are missing from it.
        config=["config", *CONFIG, *LABELS, *STYLES, *NETWORK_CONFIG, *REPORT_CONFIG],
        dictionary=DICTIONARY,
        code=code("sheet"),
    output:
        touch("data/processed/checked"),
    log:
        "results/checks/problems.csv",
    params:
        content=content_of(
            *SHEET, *CONFIG, *LABELS, *STYLES, *NETWORK_CONFIG, *REPORT_CONFIG
        ),
    message:
        "Checked the sheet"
    shell:
        "python -m trial_evidence check"
