"""Words for measures and models, as figures, tables and pages print them."""

MEASURE_NAMES = {
    "risk_ratio": "Risk ratio",
    "odds_ratio": "Odds ratio",
    "risk_difference": "Risk difference",
    "hazard_ratio": "Hazard ratio",
    "proportion": "Rate",
}
MODEL_NAMES = {
    "random_reml_hk": "Random effects (REML, Hartung–Knapp)",
    "bayesian": "Bayesian",
    "common": "Common effect",
    "dersimonian_laird": "DerSimonian–Laird",
    "mantel_haenszel": "Mantel–Haenszel",
}
SHORT_MODEL_NAMES = {
    **MODEL_NAMES,
    "random_reml_hk": "REML, Hartung–Knapp",
    "single_trial": "one trial",
}
