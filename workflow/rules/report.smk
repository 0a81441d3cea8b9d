"""Report: all settings together.

in    results/<setting>/estimates.csv, trials.csv, rates.csv, figures.csv
out   results/estimates.csv, results/trace.csv (every plotted number to its cells),
      results/at-a-glance.md, results/summary.txt
"""


rule report:
    input:
        # Nothing is reported of a sheet or a configuration that did not pass.
        checked=rules.check.output,
        estimates=expand(
            "results/{setting}/{table}.csv",
            setting=SETTINGS,
            table=["estimates", "trials", "rates"],
        ),
        figures=expand("results/{setting}/figures.csv", setting=SETTINGS),
        config=CONFIG,
        code=code("report"),
    output:
        estimates="results/estimates.csv",
        glance="results/at-a-glance.md",
        trace="results/trace.csv",
        summary="results/summary.txt",
    message:
        "Wrote the tables and the page of all settings"
    shell:
        "python -m trial_evidence report"
