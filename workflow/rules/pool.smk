"""Pool: every analysis, subgroup and model of one setting.

in    data/processed/<setting>/used.csv, rates.csv; config
out   results/<setting>/estimates.csv, trials.csv and rates.csv (with weights)
"""


rule pool:
    input:
        evidence=evidence,
        config=checked(*CONFIG),
    output:
        "results/{setting}/estimates.csv",
        "results/{setting}/trials.csv",
        "results/{setting}/rates.csv",
    params:
        code=code_of("extract", "pool"),
    message:
        "Pooled: {wildcards.setting}"
    shell:
        "python -m trial_evidence pool --setting {wildcards.setting}" f" {ON_STATE}"
