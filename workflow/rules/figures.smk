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
            # Its risk-of-bias judgements are shown next to the plots.
            sheet=f"data/processed/{name}/sheet.sha256",
            # Arms unlike others with the regimen are named under rates.
            config=checked(*CONFIG, *LABELS, *NETWORK_CONFIG),
        output:
            listing=f"results/{name}/figures.csv",
            # The Snakemake report shows the drawings, with a caption.
            # Unchanged drawings are kept; see figures/canvas/publishing.py.
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
        # Before the sensitivity analyses, because analysts wait for the plots.
        priority: 1
        # One, so that it can start while another stage is running; a second process draws when a
        # core is idle.
        threads: 1
        params:
            code=code_of("sheet", "figures"),
            setting=name,
        message:
            "Drew the figures: {params.setting}"
        shell:
            "python -m trial_evidence figures --setting {params.setting} --processes 2"
            f" {ON_STATE}"
