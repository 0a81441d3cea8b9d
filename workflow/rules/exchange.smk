"""Exchange: results and the rows behind them, as other programs read them.

in    results/<setting>/estimates.csv, trials.csv, rates.csv, network/; the sheet, for the names of
      arms and the judgements of risk of bias
out   results/exchange/r/: the effects behind every estimate, a file an analysis, and agreement.R,
      which fits them with metafor, and the networks with netmeta, and prints ours, theirs and the
      difference; results/exchange/revman/<setting>/: what RevMan imports, with the criteria of
      all settings beside them; results/exchange/cinema/<setting>/: the networks for CINeMA, a file
      a connected part, with files.csv, which lists them; results/estimates.json and its schema.
      Of a setting no file is named here: Snakemake removes what it names before a stage begins,
      and a file that stays the same is to keep its time.
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
        code=code_of("extract", "pool", "network", "exchange"),
    message:
        "Wrote the results for R, RevMan and CINeMA, and as JSON"
    shell:
        "python -m trial_evidence exchange" f" {ON_STATE}"
