"""Figures: the forest plots of one setting.

in    results/<setting>/estimates.csv, trials.csv, rates.csv; data/processed/<setting>/set_aside.csv;
      the setting's rows of the sheet, by their checksum
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
            # Its risk-of-bias judgements stand beside the plots.
            sheet=f"data/processed/{name}/sheet.sha256",
            config=checked(*CONFIG, *LABELS),
        output:
            listing=f"results/{name}/figures.csv",
            # The Snakemake report shows the drawings, with a caption.
            # Those that would be drawn the same stay; see figures/canvas/publishing.py.
            drawings=update(
                report(
                    [path for path in forests(name) if path.endswith(".svg")],
                    caption="../report/forest.rst",
                    category=ANALYSES.settings[name],
                )
            ),
            forests=update(
                [path for path in forests(name) if not path.endswith(".svg")]
            ),
        # Before the sensitivity analyses: it is what an analyst waits for.
        priority: 1
        # One, so that it starts while another stage is under way; a second process draws with what
        # the others leave idle.
        threads: 1
        params:
            code=code_of("sheet", "figures"),
            setting=name,
        message:
            "Drew the figures: {params.setting}"
        shell:
            "python -m trial_evidence figures --setting {params.setting} --processes 2"
            f" {ON_STATE}"
