"""Network: which regimen is best, and is a combination more than its parts?

in    the setting's rows of the sheet, by their checksum; config/networks.yaml
out   results/<setting>/network/<network>/: the rows used and set aside, every table and figure of
      each network, of its components and of synergy; results/<setting>/network/<surrogacy>/;
      results/<setting>/network/figures.csv lists the figures
"""


rule network:
    input:
        sheet="data/processed/{setting}/sheet.sha256",
        config=checked(*CONFIG, *NETWORK_CONFIG),
    output:
        listing="results/{setting}/network/figures.csv",
    # One each, so that two settings run at a time; a second process draws when a core is idle.
    threads: 1
    params:
        code=code_of("sheet", "extract", "pool", "figures", "network"),
    message:
        "Analysed the networks: {wildcards.setting}"
    shell:
        "python -m trial_evidence network --setting {wildcards.setting} --processes 2"
        f" {ON_STATE}"
