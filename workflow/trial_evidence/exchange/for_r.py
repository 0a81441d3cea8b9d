"""What is pooled, one file an analysis, for R to pool it again."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from trial_evidence.config.configuration import Configuration, EffectModifier
from trial_evidence.files import records
from trial_evidence.measures import COUNT_COLUMNS
from trial_evidence.pool.estimates import differences_within_trials, published_limits
from trial_evidence.report.material.material import where
from trial_evidence.report.trail.evidence import Evidence
from trial_evidence.sheet.values import ALL
from trial_evidence.words.models import CAUTIOUS, EMPIRICAL
from trial_evidence.words.pages import filled

SCRIPT = "agreement.R"
KEYS = ["setting", "analysis", "measure", "subgroup", "experimental"]
COLUMNS = [*KEYS, "trial", "group", "yi", "vi", *COUNT_COLUMNS, "published"]


def files_for_r(configuration: Configuration, evidence: Evidence) -> dict[str, pd.DataFrame | str]:
    """``r/<setting>/<analysis>.csv``, and the script that pools them with R."""
    pools = pooled_effects(configuration, evidence)
    priors = {
        model: {measure: prior.words(model) for measure, prior in configuration.tau_priors.items()
                if model == CAUTIOUS or prior.empirical}
        for model in (CAUTIOUS, EMPIRICAL)
    }  # fmt: skip
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
        A row a trial of a pool, columns ``COLUMNS``: a pool has one value of each of ``KEYS``, as
        ``results/estimates.csv`` names it. ``yi`` is on the analysis scale: log ratio, difference,
        logit; of a comparison inside trials (``ratio_of_risk_ratios``) the first level minus the
        second. ``group`` is what a test of differences between groups of trials compares;
        ``published`` whether a trial keeps the limits of its source where it is left alone.
    """
    groupings = {(a.setting, a.id): a.subgroups for a in configuration.analyses}
    factors = {
        (a.setting, a.id): {modifier.factor: modifier for modifier in a.effect_modifiers}
        for a in configuration.analyses
    }
    rows: list[dict[str, Any]] = []
    pools = evidence.estimates[evidence.estimates["model"] != "no_trial"]
    for pool in records(pools.drop_duplicates([*KEYS, "trials"])):
        place = pool["setting"], pool["analysis"]
        if pool["measure"] == "proportion":
            rows += _rates(evidence, pool)
        elif "_of_" in pool["measure"]:
            rows += _interaction(evidence, pool, factors[place][pool["subgroup"]])
        else:
            rows += _trials(evidence, pool, groupings[place], configuration.confidence_level)
    return pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(ignore_index=True)


def _key(pool: dict[str, Any]) -> dict[str, Any]:
    return {name: pool[name] for name in KEYS}


def _rates(evidence: Evidence, pool: dict[str, Any]) -> Iterator[dict[str, Any]]:
    table = _of(evidence.rates, pool, pool["subgroup"], measure="proportion")
    for row in records(table[table["regimen_label"] == pool["experimental"]]):
        yield _key(pool) | {
            "trial": row["trial_id"], "group": "", "yi": row["yi"], "vi": row["vi"],
            "events_experimental": row["events"], "n_experimental": row["n"],
        }  # fmt: skip


def _trials(
    evidence: Evidence, pool: dict[str, Any], grouping: str, percent: float
) -> Iterator[dict[str, Any]]:
    level = pool["subgroup"].partition(" & trial=")[0]
    reported = set(evidence.trials["subgroup"])
    table = _of(evidence.trials, pool, level if level in reported else ALL, pool["measure"])
    for row in records(table):
        yield _key(pool) | {
            "trial": row["trial_id"], "group": row[grouping],
            **{name: row[name] for name in ("yi", "vi", *COUNT_COLUMNS)},
            "published": "yes" if published_limits(row, percent) else "",
        }  # fmt: skip


def _interaction(
    evidence: Evidence, pool: dict[str, Any], modifier: EffectModifier
) -> Iterator[dict[str, Any]]:
    measure = pool["measure"].rpartition("_of_")[2].removesuffix("s")
    rows = pd.concat(
        _of(evidence.trials, pool, subgroup, measure) for subgroup in modifier.subgroups
    )
    for trial, yi, vi in differences_within_trials(rows, modifier).itertuples():
        yield _key(pool) | {"trial": trial, "group": "", "yi": yi, "vi": vi}


def _of(table: pd.DataFrame, pool: dict[str, Any], subgroup: str, measure: str) -> pd.DataFrame:
    """Pooled rows of the trials of a pool."""
    wanted = {"setting": pool["setting"], "analysis": pool["analysis"], "measure": measure}
    rows = where(table, **wanted, subgroup=subgroup, pooled="yes")
    return rows[rows["trial_id"].isin(pool["trials"].split(";"))]
