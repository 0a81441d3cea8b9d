"""Figures: the forest plots of one setting.

in    results/<setting>/estimates.csv, trials.csv, rates.csv; data/processed/<setting>/set_aside.csv
out   results/<setting>/<analysis>/forest.svg, .pdf, .png and the further figures of that
      analysis; results/<setting>/figures.csv lists them all
"""

for name in SETTINGS:

    rule:
        name:
            f"figures_{name}"
        input:
            pooled=[
                f"results/{name}/{table}.csv"
                for table in ("estimates", "trials", "rates")
            ],
            set_aside=f"data/processed/{name}/set_aside.csv",
            config=CONFIG,
            code=code("figures"),
        output:
            listing=f"results/{name}/figures.csv",
            forests=forests(name),
        # Before the sensitivity analyses: it is what an analyst waits for.
        priority: 1
        threads: 2
        params:
            setting=name,
        message:
            "Drew the figures: {params.setting}"
        shell:
            "python -m trial_evidence figures --setting {params.setting} --processes {threads}"
