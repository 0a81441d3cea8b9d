"""Sensitivity: how far the pooled results of one setting depend on methods, trials and choices.

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
    "control_risk",
    "meta_regression",
    "what_would_change",
    "multiverse",
    "multiverse_summary",
    "choices",
    "choice_rows",
    "figures",
]


rule sensitivity:
    input:
        trials="results/{setting}/trials.csv",
        sheet="data/processed/{setting}/sheet.sha256",
        config=checked(*CONFIG),
    output:
        tables=expand(
            "results/{{setting}}/sensitivity/{table}.csv", table=SENSITIVITY_TABLES
        ),
    # One each, so that two settings run at a time; a second process draws when a core is idle.
    threads: 1
    params:
        code=code_of("sheet", "extract", "pool", "figures", "sensitivity"),
    message:
        "Examined the sensitivity: {wildcards.setting}"
    shell:
        "python -m trial_evidence sensitivity --setting {wildcards.setting}"
        " --processes 2"
        f" {ON_STATE}"
