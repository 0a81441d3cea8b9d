"""Network: which regimen, and is the whole more than its parts?

in    the setting's rows of the sheet, by their checksum; config/networks.yaml
out   results/<setting>/network/<network>/: the rows used and set aside, every table and figure of
      each network, of its components and of synergy; results/<setting>/network/<surrogacy>/;
      results/<setting>/network/figures.csv lists the figures
"""

for name in SETTINGS:

    rule:
        name:
            f"network_{name}"
        input:
            sheet=f"data/processed/{name}/sheet.sha256",
            config=[*CONFIG, *NETWORK_CONFIG],
            code=code("sheet", "extract", "pool", "figures", "network"),
        output:
            listing=f"results/{name}/network/figures.csv",
        threads: 2
        params:
            setting=name,
            content=content_of(*CONFIG, *NETWORK_CONFIG),
        message:
            "Analysed the networks: {params.setting}"
        shell:
            # Matrices of this size are slower with several threads.
            "OPENBLAS_NUM_THREADS=1 python -m trial_evidence network"
            " --setting {params.setting} --processes {threads}"
