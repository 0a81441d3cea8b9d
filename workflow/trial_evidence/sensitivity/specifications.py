"""The multiverse: every defensible combination of choices, and its result."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trial_evidence.config.configuration import Analysis, Configuration
from trial_evidence.files import Record, records
from trial_evidence.measures import MEASURES
from trial_evidence.measures.scales import LOG_RATIO
from trial_evidence.pool.models.leading import leading_model
from trial_evidence.pool.probes.multiverse import SpecificationCurve, specification_curve
from trial_evidence.sensitivity.choices import VARIED, RowChoice
from trial_evidence.sensitivity.comparison import MANY, MEAN
from trial_evidence.sensitivity.properties import JUDGED_HIGH

COMMON = "EE"
# Two estimators that solve the same equation count as one specification.
SAME_AS = {"EB": "PM"}
NOBODY = "none"
# Pools fitted at a time: this many, of two hundred trials each, take a few megabytes.
_POOLS = 1024
# Rows of a table written at a time.
_ROWS = 20_000
# Columns of the chosen rows that decide which pools there are.
_READ = ["measure", "trial_id", "yi", "vi", "pooled", "risk_of_bias"]
CHOICE_COLUMNS = [
    "measure", *VARIED, "exclusions", "risk_of_bias", "without", "estimator", "interval",
]  # fmt: skip
_RESULT = ["k", "estimate", "ci_low", "ci_high", "ci_level", "p_value", "tau2", "i2"]
MULTIVERSE_COLUMNS = [
    "setting", "analysis", *CHOICE_COLUMNS, *_RESULT, "excludes_no_effect", "rank", "leading",
]  # fmt: skip
MULTIVERSE_NUMBERS = [*_RESULT, "rank"]
SUMMARY_COLUMNS = [
    "setting", "analysis", "measure", "specifications", "median_estimate", "lowest_estimate",
    "highest_estimate", "share_excluding_no_effect", "share_below", "share_above",
]  # fmt: skip


@dataclass(frozen=True)
class Multiverse:
    """Every specification of one analysis: the first pool by every model, then the second, ...

    Attributes
    ----------
    pools : DataFrame
        One row per pool: the choices that define it, as categories.
    models : DataFrame
        ``estimator`` and ``interval``, the configured ones first.
    curve : SpecificationCurve
        The result of each specification, on the analysis scale.
    leads : bool
        Whether the report leads with the first specification (it does not if another model leads,
        such as the Bayesian one with two trials).
    """

    analysis: Analysis
    pools: pd.DataFrame
    models: pd.DataFrame
    curve: SpecificationCurve
    leads: bool

    def __len__(self) -> int:
        return len(self.pools) * len(self.models)

    def rows(self, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """Specifications as rows: ``MULTIVERSE_COLUMNS`` but the level, ratios back-transformed.

        Parameters
        ----------
        start, stop : int
            First index, and the one after the last; all by default.
        """
        here = slice(start, stop)
        pool, model = divmod(np.arange(len(self))[here], len(self.models))
        places = ((self.pools, pool), (self.models, model))
        chosen = [frame.iloc[at].reset_index(drop=True) for frame, at in places]
        # A choice that does not apply, such as the assessor of a count, is an empty string.
        choices = pd.concat(chosen, axis=1).reindex(columns=CHOICE_COLUMNS, fill_value="")
        low, high = (getattr(self.curve, name)[here] for name in ("ci_low", "ci_high"))
        return choices.assign(
            setting=self.analysis.setting,
            analysis=self.analysis.id,
            k=self.curve.k[here].astype(int),
            **{name: LOG_RATIO.to_natural(getattr(self.curve, name)[here]) for name in MEAN},
            **{name: getattr(self.curve, name)[here] for name in ("p_value", "tau2", "i2")},
            excludes_no_effect=np.where((low > 0) | (high < 0), "yes", "no"),
            rank=self.curve.rank[here] + 1,
            leading=np.where(self.leads & (pool + model == 0), "yes", "no"),
        )


def multiverse(
    configuration: Configuration, analysis: Analysis, choices: Sequence[RowChoice]
) -> Multiverse | None:
    """Fit every specification of an analysis that pools ratios from two or more trials.

    Specifications that pool the same numbers in the same way count as one. It carries the first of
    their choices, with the configured ones coming first.
    """
    configuration, sets = configuration.own(analysis), list(_row_sets(choices))
    effects: dict[tuple[Any, ...], int] = {}
    pools = _Pools([], {})
    for measure in (m for m in analysis.measures if MEASURES[m].is_ratio):
        for names, rows in sets:
            members = {
                str(row["trial_id"]): effects.setdefault(
                    (measure, row["trial_id"], row["yi"], row["vi"]), len(effects)
                )
                for row in rows
                if row["measure"] == measure
            }
            pools.add({"measure": measure, **names}, members)
    if not pools.found:
        return None
    pooling, tries = configuration.pooling, configuration.sensitivity
    # The specification of the report comes first.
    tried = (
        (pooling.tau2_estimator, pooling.estimate_interval),
        (COMMON, "wald"),
        *product(tries.estimators, tries.intervals),
    )
    pairs = list(dict.fromkeys((SAME_AS.get(name, name), interval) for name, interval in tried))
    models = pd.DataFrame(pairs, columns=["estimator", "interval"]).astype("category")
    _, _, yi, vi = zip(*effects, strict=True)
    blocks = pools.members(len(effects))
    curve = specification_curve(yi, vi, blocks, pairs, configuration.confidence_level)
    chosen = pools.choices()
    measure = str(chosen["measure"].iloc[0])
    k = sum(row["measure"] == measure for row in sets[0][1])
    # Fewer than two configured trials form no pool; then no specification is that of the report.
    empirical = configuration.tau_priors[measure].empirical is not None
    leads = k >= 2 and leading_model(k, pooling, empirical=empirical).model == pooling.model
    return Multiverse(analysis, chosen, models, curve, leads)


def _row_sets(choices: Sequence[RowChoice]) -> Iterator[tuple[dict[str, str], Sequence[Record]]]:
    """Choices by name, and the rows that they keep; those configured come first."""
    # Many choices share one table.
    tables = {id(choice.used): choice.used for choice in choices}
    rows_of = {name: records(used[_READ]) for name, used in tables.items()}
    for choice in choices:
        for excluded, biased in product(("applied", "ignored"), ("any", "not high")):
            kept = [
                row
                for row in rows_of[id(choice.used)]
                if (row["pooled"] == "yes" or excluded == "ignored")
                and (row["risk_of_bias"] != JUDGED_HIGH or biased == "any")
            ]
            yield {**choice.names, "exclusions": excluded, "risk_of_bias": biased}, kept


@dataclass(frozen=True)
class _Pools:
    """Distinct pools, each given by a set of trials and the one left out of it.

    Attributes
    ----------
    sets : list of dict
        The choices that define a set.
    found : dict
        Effects in a pool, as the bits of a number -> index of its set, and the trial left out.
    """

    sets: list[dict[str, str]]
    found: dict[int, tuple[int, str]]

    def add(self, choices: dict[str, str], members: dict[str, int]) -> None:
        """Add the new pools: a set and, unless it is large, the set without each of its trials."""
        bits = {trial: 1 << effect for trial, effect in members.items()}
        whole = sum(bits.values())
        for without, bit in ({NOBODY: 0} | (bits if len(members) <= MANY else {})).items():
            if (whole - bit).bit_count() >= 2:
                self.found.setdefault(whole - bit, (len(self.sets), without))
        self.sets.append(choices)

    def members(self, effects: int) -> Iterator[npt.NDArray[np.bool_]]:
        """Which of the effects each pool contains, ``_POOLS`` pools at a time."""
        found, width = list(self.found), math.ceil(effects / 8)
        for start in range(0, len(found), _POOLS):
            here = [pool.to_bytes(width, "little") for pool in found[start : start + _POOLS]]
            packed = np.frombuffer(b"".join(here), np.uint8).reshape(len(here), width)
            yield np.unpackbits(packed, axis=1, count=effects, bitorder="little").T.astype(bool)

    def choices(self) -> pd.DataFrame:
        """The choices that define each pool, as categories because they repeat."""
        places, without = zip(*self.found.values(), strict=True)
        of_sets = pd.DataFrame(self.sets).astype("category")
        chosen = of_sets.iloc[list(places)].reset_index(drop=True)
        return chosen.assign(without=pd.Categorical(without))


def multiverse_table(found: Multiverse, level: float) -> Iterator[pd.DataFrame]:
    """Its specifications in chunks, so that their strings take only a few megabytes.

    Parameters
    ----------
    level : float
        Level of the intervals in percent.

    Yields
    ------
    DataFrame
        Columns ``MULTIVERSE_COLUMNS``.
    """
    for start in range(0, len(found), _ROWS):
        yield found.rows(start, start + _ROWS).assign(ci_level=level)[MULTIVERSE_COLUMNS]


def multiverse_summary(curves: Iterable[Multiverse]) -> pd.DataFrame:
    """Shares and medians over the specifications of each analysis, overall and by measure.

    Returns
    -------
    DataFrame
        Columns ``SUMMARY_COLUMNS``; shares between 0 and 1. There is no median over several
        measures together, since risk ratios and odds ratios are not comparable in size.
    """
    rows = [row for found in curves for row in _summarised(found)]
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def _summarised(found: Multiverse) -> Iterator[tuple[Any, ...]]:
    measures = found.pools["measure"].to_numpy(str).repeat(len(found.models))
    known = list(dict.fromkeys(measures))
    estimate, low, high = (getattr(found.curve, name) for name in MEAN)
    for measure in ("all", *known):
        here = np.full(len(found), True) if measure == "all" else measures == measure
        mixed = measure == "all" and len(known) > 1
        natural = pd.Series(LOG_RATIO.to_natural(estimate[here]))
        sizes = [np.nan] * 3 if mixed else natural.agg(["median", "min", "max"])
        below, above = (high[here] < 0).mean(), (low[here] > 0).mean()
        named = (found.analysis.setting, found.analysis.id, measure)
        yield (*named, int(here.sum()), *sizes, below + above, below, above)
