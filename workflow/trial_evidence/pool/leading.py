"""Which model leads for how many trials, and why."""

from dataclasses import dataclass

from trial_evidence.pool.results import ModelName


@dataclass(frozen=True)
class Lead:
    """The model whose result is reported first.

    Attributes
    ----------
    model : str
        The leading model.
    co_primary : str or None
        A second model of equal rank, shown beside it.
    reason : str
        Why, in one sentence for the reader.
    """

    model: ModelName
    co_primary: ModelName | None
    reason: str


def leading_model(k: int) -> Lead:
    """Choose the leading model by the number of trials.

    Parameters
    ----------
    k : int
        Trials pooled.

    Returns
    -------
    Lead

    Raises
    ------
    ValueError
        If there is no trial.

    Notes
    -----
    Two trials carry no usable information on heterogeneity, and every frequentist interval then
    depends on its convention: Röver C, Knapp G, Friede T. BMC Med Res Methodol 2015;15:99;
    Röver C et al. Res Synth Methods 2021;12:448-474.
    """
    if k < 1:
        raise ValueError("there is no trial to choose a model for")
    if k == 1:
        return Lead("single_trial", None, "One trial: its own result, nothing is pooled.")
    if k == 2:
        return Lead(
            "bayesian",
            None,
            "Two trials: heterogeneity cannot be estimated from them, so the Bayesian model with a "
            "weakly informative prior on it leads.",
        )
    if k <= 4:
        words = {3: "Three", 4: "Four"}[k]
        return Lead(
            "random_reml_hk",
            "bayesian",
            f"{words} trials: heterogeneity is poorly estimated, so the Bayesian model stands "
            "beside the random-effects model as co-primary.",
        )
    return Lead(
        "random_reml_hk",
        None,
        f"{k} trials: random-effects model by REML with the conservative Hartung-Knapp interval.",
    )
