"""Properties of trials that the evidence tables lack: blinding, risk of bias, patient shares."""

from collections.abc import Mapping

import pandas as pd

from trial_evidence.config.configuration import Analysis
from trial_evidence.extract.judged import judged
from trial_evidence.sensitivity.comparison import Comparison
from trial_evidence.sheet import Sheet

UNKNOWN = "not stated"
JUDGED_HIGH = "high"


def blinding(sheet: Sheet, c: Comparison) -> pd.Series:
    """Whether each trial was blinded (``yes``, ``no``), in the order of its rows."""
    known = dict(zip(sheet["trials"]["trial_id"], sheet["trials"]["blinded"], strict=True))
    return c.rows["trial_id"].map(known).replace("", UNKNOWN).fillna(UNKNOWN)


def risk_of_bias(sheet: Sheet, analysis: Analysis, rows: pd.DataFrame) -> pd.Series:
    """Overall judgement on each trial as it counts for the certainty, or ``not stated``.

    Parameters
    ----------
    rows : DataFrame
        ``trial_id`` and ``outcome``.
    """
    places = zip(rows["trial_id"], rows["outcome"], strict=True)
    found = [judged(sheet.judgements, analysis.endpoints, *place) or UNKNOWN for place in places]
    return pd.Series(found, index=rows.index)


def shares_at(sheet: Sheet, factor: str, level: str) -> Mapping[str, float]:
    """Share of the patients of each trial at one level of a factor, in percent.

    Parameters
    ----------
    factor, level : str
        The factor, and the level whose share is returned.

    Returns
    -------
    mapping of str to float
        Trial id -> share. Based on the patients analysed by level: from the arms that report all
        levels of the factor in a table of counts, else from the contrasts that do. A trial that
        admitted one level only has 0 or 100. Trials with neither are missing.
    """
    shares: dict[str, float] = {}
    # Counts come last because they take precedence.
    for rows in (*map(_both_arms, sheet.all_of("contrasts")), *sheet.all_of("counts")):
        inside = rows[rows["subgroup"].str.startswith(f"{factor}=") & rows["n"].notna()]
        inside = inside[~inside["subgroup"].str.contains("&") & (inside["status"] == "current")]
        largest = inside.groupby(["trial_id", "arm_id", "subgroup"], as_index=False)["n"].max()
        of_trial = largest.groupby("trial_id")["subgroup"].transform("nunique")
        of_arm = largest.groupby(["trial_id", "arm_id"])["subgroup"].transform("nunique")
        complete = largest[(of_arm == of_trial) & (of_trial > 1)]
        at_level = complete["n"].where(complete["subgroup"] == f"{factor}={level}", 0.0)
        here = at_level.groupby(complete["trial_id"]).sum()
        shares |= (100 * here / complete.groupby("trial_id")["n"].sum()).to_dict()
    only = sheet["populations"]
    only = only[only["subgroup"].str.startswith(f"{factor}=")]
    for trial_id, subgroup in zip(only["trial_id"], only["subgroup"], strict=True):
        shares[trial_id] = 100.0 if subgroup == f"{factor}={level}" else 0.0
    return shares


def _both_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Contrasts, with the patients of both arms added up."""
    return rows.assign(
        n=rows["n_experimental"] + rows["n_control"],
        arm_id=rows["experimental_arm_id"] + " v " + rows["control_arm_id"],
    )
