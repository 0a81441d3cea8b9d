"""Exchange: results, and the rows behind them, in the formats of other programs.

in    results/<setting>/estimates.csv, trials.csv, rates.csv, network/; the sheet, for the names of
      arms and the judgements of risk of bias
out   results/exchange/r/: the effects behind every estimate, one file per analysis, and agreement.R,
      which fits them with metafor, and the networks with netmeta, and prints ours, theirs and the
      difference; results/exchange/revman/<setting>/: import files for RevMan, and the review
      criteria of all settings; results/exchange/cinema/<setting>/: the networks for CINeMA, one file
      per connected part, listed in files.csv; results/estimates.json and its schema.
      The files of a setting are not declared as outputs: Snakemake removes declared outputs before
      a stage begins, but unchanged files should keep their time stamps.
"""


rule exchange:
    input:
        checked=passed,
        sheet=checked(*TABLES),
        estimates=expand(
            "results/{setting}/{table}.csv",
            setting=SETTINGS,
            table=["estimates", "trials", "rates"],
        ),
        network=expand("results/{setting}/network/figures.csv", setting=SETTINGS),
        config=checked(*CONFIG, *NETWORK_CONFIG),
        script="workflow/report/agreement.R.j2",
    output:
        "results/exchange/r/agreement.R",
        "results/exchange/revman/review-criteria.csv",
        "results/exchange/cinema/files.csv",
        "results/estimates.json",
        "results/estimates.schema.json",
    params:
        code=code_of("extract", "pool", "network", "report", "exchange"),
    message:
        "Wrote the results for R, RevMan and CINeMA, and as JSON"
    shell:
        "python -m trial_evidence exchange" f" {ON_STATE}"
