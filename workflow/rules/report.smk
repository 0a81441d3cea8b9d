"""Report: all settings together.

in    results/<setting>/estimates.csv; data/processed/<setting>/set_aside.csv
out   results/estimates.csv, results/at-a-glance.md, results/summary.txt
"""


rule report:
    input:
        estimates=expand("results/{setting}/estimates.csv", setting=SETTINGS),
        figures=expand("results/{setting}/figures.csv", setting=SETTINGS),
        config=CONFIG,
        code=code("report"),
    output:
        estimates="results/estimates.csv",
        glance="results/at-a-glance.md",
        summary="results/summary.txt",
    message:
        "Wrote the tables and the page of all settings"
    shell:
        "python -m trial_evidence report"
