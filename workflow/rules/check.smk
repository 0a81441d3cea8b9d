"""Check: is the sheet sound?

in    data/raw, workflow/dictionary, config
out   data/processed/checked, the mark that this sheet passed; results/checks/problems.csv,
      every finding, written whether the sheet passes or not
"""


rule check:
    input:
        sheet=SHEET,
        config=[*CONFIG, *LABELS, STYLES, NETWORK_CONFIG, REPORT_CONFIG],
        dictionary=DICTIONARY,
        code=code("sheet"),
    output:
        touch("data/processed/checked"),
    log:
        "results/checks/problems.csv",
    message:
        "Checked the sheet"
    shell:
        "python -m trial_evidence check"
