"""Exchange: what was pooled, for R to pool it again.

in    results/<setting>/estimates.csv, trials.csv, rates.csv
out   results/exchange/r/: the effects behind every estimate, a file an analysis, and agreement.R,
      which fits them with metafor, and the networks with netmeta, and prints ours, theirs and the
      difference
"""


rule exchange:
    input:
        checked=passed,
        estimates=expand(
            "results/{setting}/{table}.csv",
            setting=SETTINGS,
            table=["estimates", "trials", "rates"],
        ),
        config=checked(*CONFIG),
        code=code("pool", "exchange"),
        script="workflow/report/agreement.R.j2",
    output:
        "results/exchange/r/agreement.R",
    message:
        "Wrote the effects for R"
    shell:
        "python -m trial_evidence exchange" f" {ON_STATE}"
