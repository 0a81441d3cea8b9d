"""The effects behind the pooled results, one file per analysis, so that R can pool them again."""

from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.files import records
from trial_evidence.measures import COUNT_COLUMNS
from trial_evidence.pool.bayes.priors import model_priors
from trial_evidence.pool.estimates import differences_within_trials, published_limits
from trial_evidence.report.trail.evidence import Evidence, members, rows_behind
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL
from trial_evidence.words.pages import filled

SCRIPT = "agreement.R"
KEYS = ["setting", "analysis", "measure", "subgroup", "experimental"]
COLUMNS = [*KEYS, "trial", "group", "yi", "vi", *COUNT_COLUMNS, "published"]


def files_for_r(configuration: Configuration, evidence: Evidence) -> dict[str, pd.DataFrame | str]:
    """``r/<setting>/<analysis>.csv``, and the script that pools them with R."""
    pools = pooled_effects(configuration, evidence)
    configured = {name: model_priors(priors) for name, priors in configuration.tau_priors.items()}
    priors = {
        model: {name: own[model].label for name, own in configured.items() if model in own}
        for model in (CAUTIOUS, EMPIRICAL)
    }
    made: dict[str, pd.DataFrame | str] = {
        f"r/{setting}/{analysis}.csv": rows
        for (setting, analysis), rows in pools.groupby(["setting", "analysis"], sort=False)
    }
    return made | {f"r/{SCRIPT}": filled(f"{SCRIPT}.j2", str, priors=priors)}


def pooled_effects(configuration: Configuration, evidence: Evidence) -> pd.DataFrame:
    """Every effect behind every pooled estimate.

    Returns
    -------
    DataFrame
        One row per trial of a pool, columns ``COLUMNS``. A pool is identified by ``KEYS``, with
        the values of ``results/estimates.csv``. ``yi`` is on the analysis scale (log ratio,
        difference, logit); for a comparison within trials (``ratio_of_risk_ratios``), the first
        level minus the second. ``group`` holds the groups of trials compared by the test of
        subgroup differences; ``published`` says whether a trial shown alone keeps the limits of
        its source.
    """
    analyses = {(a.setting, a.id): a for a in configuration.analyses}
    found: list[pd.DataFrame] = []
    pools = evidence.estimates[evidence.estimates["model"] != "no_trial"]
    for pool in records(pools.drop_duplicates([*KEYS, "trials"])):
        place = pool["setting"], pool["analysis"]
        if pool["measure"] == "proportion":
            rows = _rates(evidence, pool)
        elif "_of_" in pool["measure"]:
            rows = _interaction(evidence, pool, analyses[place])
        else:
            rows = _trials(evidence, pool, analyses[place], configuration.confidence_level)
        found.append(rows.assign(**{name: pool[name] for name in KEYS}).reindex(columns=COLUMNS))
    return pd.concat(found or [pd.DataFrame(columns=COLUMNS)]).drop_duplicates(ignore_index=True)


def _rates(evidence: Evidence, pool: dict[str, Any]) -> pd.DataFrame:
    rows = rows_behind(evidence, pool)
    return rows.assign(
        trial=rows["trial_id"], group="", events_experimental=rows["events"],
        n_experimental=rows["n"],
    )  # fmt: skip


def _trials(
    evidence: Evidence, pool: dict[str, Any], analysis: Analysis, percent: float
) -> pd.DataFrame:
    rows = rows_behind(evidence, pool)
    published = ["yes" if published_limits(row, percent) else "" for row in records(rows)]
    return rows.assign(trial=rows["trial_id"], group=rows[analysis.subgroups], published=published)


def _interaction(evidence: Evidence, pool: dict[str, Any], analysis: Analysis) -> pd.DataFrame:
    (modifier,) = (one for one in analysis.effect_modifiers if one.factor == pool["subgroup"])
    measure = pool["measure"].rpartition("_of_")[2].removesuffix("s")
    rows = pd.concat(
        members(evidence.trials, pool, subgroup, measure) for subgroup in modifier.subgroups
    )
    return differences_within_trials(rows, modifier).reset_index(names="trial").assign(group="")
