"""Calibrate: do the intervals have their nominal coverage? A simulation, not a part of `make`.

in    results/<setting>/trials.csv; config/calibration.yaml: number of simulations, size of a part
out   results/calibration/parts/<number>.csv, one job each: the results of one part of the simulated
      meta-analyses of every pool; results/calibration/calibration.csv, calibration.md and the
      figures

The parts are independent, so a cluster can run them all at once. Finished parts are kept as long as
their inputs are unchanged; more simulations add parts.
"""

SIMULATION = said("config/calibration.yaml", Simulation)
POOLED = expand("results/{setting}/trials.csv", setting=SETTINGS)


wildcard_constraints:
    part=r"\d+",


rule simulate:
    input:
        trials=POOLED,
        config=checked(*CONFIG),
    output:
        "results/calibration/parts/{part}.csv",
    params:
        code=code_of("extract", "pool", "calibration"),
        # Not the whole file: the number of parts does not affect a single part.
        taus=SIMULATION.taus if SIMULATION else [],
        size=lambda wildcards: SIMULATION.size(int(wildcards.part)),
        seed=SIMULATION.seed if SIMULATION else 0,
        libraries=[f"{name} {version(name)}" for name in ("numpy", "scipy")],
    message:
        "Simulated part {wildcards.part}"
    shell:
        "python -m trial_evidence simulate --part {wildcards.part}" f" {ON_STATE}"


rule calibrate:
    input:
        checked=passed,
        trials=POOLED,
        parts=expand(
            rules.simulate.output,
            part=range(SIMULATION.parts if SIMULATION else 0),
        ),
        config=checked(*CONFIG, *CALIBRATION_CONFIG),
    output:
        table="results/calibration/calibration.csv",
        page="results/calibration/calibration.md",
    params:
        code=code_of("extract", "pool", "figures", "calibration"),
    message:
        "Summed up the calibration"
    shell:
        "python -m trial_evidence calibrate" f" {ON_STATE}"
