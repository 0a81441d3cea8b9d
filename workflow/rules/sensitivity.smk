"""Sensitivity: what the pooled results of one setting owe to methods, trials and choices.

in    results/<setting>/trials.csv; the setting's rows of the sheet, by their checksum; config
out   results/<setting>/sensitivity/<table>.csv; results/<setting>/<analysis>/leave_one_out.svg
      and the further figures that results/<setting>/sensitivity/figures.csv lists
"""

SENSITIVITY_TABLES = [
    "methods",
    "leave_one_out",
    "cumulative",
    "influence",
    "shrinkage",
    "small_study",
    "subgroups",
    "effect_modifiers",
    "meta_regression",
    "multiverse",
    "multiverse_summary",
    "figures",
]

for name in SETTINGS:

    rule:
        name:
            f"sensitivity_{name}"
        input:
            trials=f"results/{name}/trials.csv",
            sheet=f"data/processed/{name}/sheet.sha256",
            config=CONFIG,
            code=code("sheet", "extract", "pool", "figures", "sensitivity"),
        output:
            tables=expand(
                "results/{setting}/sensitivity/{table}.csv",
                setting=name,
                table=SENSITIVITY_TABLES,
            ),
        threads: 2
        params:
            setting=name,
            content=content_of(*CONFIG),
        message:
            "Ran the sensitivity analyses: {params.setting}"
        shell:
            "python -m trial_evidence sensitivity --setting {params.setting} --processes {threads}"
